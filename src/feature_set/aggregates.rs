//! The aggregates that a feature can name, and what each asks for.

use finai_engine::features::Aggregate;

/// What a feature computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Computed {
    /// From the events of an entity.
    Window(Aggregate),
    /// From the time of the event.
    Night,
    Weekend,
    /// From two other features.
    Quotient,
}

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    Number,
    /// 1 where it is not null.
    Presence,
    Flag,
    Key,
    Text,
}

/// Which columns a feature names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    Nothing,
    /// `column`.
    One(Use),
    /// `column`, or none.
    Optional(Use),
    /// `columns`, latitude and longitude in degrees.
    Place,
    /// `columns`, one or more.
    Several,
    /// `of` and `to`.
    Features,
}

pub struct Entry {
    pub name: &'static str,
    pub computed: Computed,
    pub wants: Wants,
    /// Whether a window limits it.
    pub windowed: bool,
    /// Whether what it looks at can become known late.
    pub delayed: bool,
    /// Whether it includes the event itself unless told otherwise; None where it cannot be told.
    pub current: Option<bool>,
    /// What the view's column is.
    pub sql_type: &'static str,
}

const fn window(
    name: &'static str,
    aggregate: Aggregate,
    wants: Wants,
    current: Option<bool>,
) -> Entry {
    Entry {
        name,
        computed: Computed::Window(aggregate),
        wants,
        windowed: true,
        delayed: current.is_some(),
        current,
        sql_type: "double precision",
    }
}

use Aggregate::*;
use Wants::{One, Optional};

pub const AGGREGATES: [Entry; 20] = [
    Entry {
        sql_type: "bigint",
        ..window("count", Count, Optional(Use::Presence), Some(true))
    },
    window("sum", Sum, One(Use::Number), Some(true)),
    window("avg", Avg, One(Use::Number), Some(true)),
    window("min", Min, One(Use::Number), Some(true)),
    window("max", Max, One(Use::Number), Some(true)),
    window("stddev", Stddev, One(Use::Number), Some(true)),
    Entry {
        sql_type: "bigint",
        ..window("distinct", Distinct, One(Use::Key), Some(true))
    },
    window("share", Share, One(Use::Flag), Some(false)),
    window("risk", Risk, One(Use::Flag), Some(false)),
    window("last", Last, One(Use::Text), None),
    window("time_since_last", TimeSinceLast, Optional(Use::Key), None),
    Entry {
        sql_type: "integer",
        ..window("first_seen", FirstSeen, Optional(Use::Key), None)
    },
    window("ratio", Ratio, One(Use::Number), Some(false)),
    window("zscore", Zscore, One(Use::Number), Some(false)),
    window("distance", Distance, Wants::Place, None),
    window("speed", Speed, Wants::Place, None),
    Entry {
        windowed: false,
        sql_type: "double precision[]",
        ..window("sequence", Sequence { length: 0 }, Wants::Several, None)
    },
    Entry {
        computed: Computed::Night,
        windowed: false,
        sql_type: "integer",
        ..window("night", Count, Wants::Nothing, None)
    },
    Entry {
        computed: Computed::Weekend,
        windowed: false,
        sql_type: "integer",
        ..window("weekend", Count, Wants::Nothing, None)
    },
    Entry {
        computed: Computed::Quotient,
        windowed: false,
        ..window("ratio", Count, Wants::Features, None)
    },
];

/// The aggregate of a name; a ratio between features is one of its own.
pub fn find(name: &str, between_features: bool) -> Option<&'static Entry> {
    let wanted = |entry: &&Entry| {
        entry.name == name
            && (entry.wants == Wants::Features) == (between_features && name == "ratio")
    };
    AGGREGATES.iter().find(wanted)
}

/// Every name, for hints.
pub fn names() -> String {
    let names: Vec<&str> = AGGREGATES
        .iter()
        .filter(|entry| entry.wants != Wants::Features)
        .map(|entry| entry.name)
        .collect();
    names.join(", ")
}
