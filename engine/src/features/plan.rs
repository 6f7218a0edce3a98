//! Which features are wanted, of which columns and windows.

/// Bounds of a plan: what a state holds before its first event is as large as these.
pub const MOST_FEATURES: usize = 500;
/// Of a plan: a function of SQL takes a hundred arguments.
pub const MOST_COLUMNS: usize = 90;
/// Events of a sequence, and its columns.
pub const MOST_EVENTS: usize = 1000;
pub const MOST_SEQUENCE_COLUMNS: usize = 50;
/// Numbers that all features of a plan give.
pub const MOST_NUMBERS: usize = 100_000;

/// How the values of a column are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Number,
    /// A boolean, or a number that is set unless it is zero.
    Flag,
    /// Compared by equality.
    Key,
    /// Handed out as text.
    Text,
}

/// What a feature computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Events; with a column, those where it is not null.
    Count,
    Sum,
    Avg,
    Min,
    Max,
    /// Sample standard deviation.
    Stddev,
    /// Different values.
    Distinct,
    /// Set flags among those that are not null; None without any.
    Share,
    /// As `Share`, but 0 without any.
    Risk,
    /// The latest value that is not null.
    Last,
    /// Seconds since the event before, or since the one with the same value.
    TimeSinceLast,
    /// 1 where there is no event before, or none with the same value; else 0.
    FirstSeen,
    /// The event's value over the mean of the others.
    Ratio,
    /// The event's value less the mean of the others, in standard deviations.
    Zscore,
    /// Kilometres from the last known place.
    Distance,
    /// Kilometres an hour from the last known place.
    Speed,
    /// The values of the last `length` events, this one last, and after them 1 for each that exists, else 0.
    Sequence {
        length: usize,
    },
}

/// One feature over one window. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    pub aggregate: Aggregate,
    /// Positions in [`Plan::columns`].
    pub columns: Vec<usize>,
    /// The window of an event at t is (t - delay - window, t - delay]; None reaches back to the first event.
    pub window: Option<i64>,
    pub delay: i64,
    /// Whether the event itself is in the window. Only without delay.
    pub current: bool,
}

/// The features of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub columns: Vec<Role>,
    pub features: Vec<Feature>,
}

impl Feature {
    /// How many numbers it gives.
    pub fn width(&self) -> usize {
        match self.aggregate {
            Aggregate::Sequence { length } => length * (self.columns.len() + 1),
            _ => 1,
        }
    }
}

impl Plan {
    /// How many numbers all features give.
    pub fn width(&self) -> usize {
        self.features.iter().map(Feature::width).sum()
    }

    /// Whether it is within bounds, and every feature has the columns it needs, of the roles it needs, and possible times.
    pub fn is_valid(&self) -> bool {
        self.columns.len() <= MOST_COLUMNS
            && self.features.len() <= MOST_FEATURES
            && self.features.iter().all(|feature| self.fits(feature))
            && self.width() <= MOST_NUMBERS
    }

    fn fits(&self, feature: &Feature) -> bool {
        use Aggregate::*;
        if feature.columns.len() > MOST_SEQUENCE_COLUMNS {
            return false;
        }
        let roles: Option<Vec<Role>> = feature
            .columns
            .iter()
            .map(|&column| self.columns.get(column).copied())
            .collect();
        let Some(roles) = roles else {
            return false;
        };
        let columns = match (feature.aggregate, roles.as_slice()) {
            (Count | TimeSinceLast | FirstSeen, []) => true,
            (Count | Sum | Avg | Min | Max | Stddev | Ratio | Zscore, [Role::Number]) => true,
            (Last, [Role::Number | Role::Text]) => true,
            (Distinct | TimeSinceLast | FirstSeen, [Role::Key]) => true,
            (Share | Risk, [Role::Flag]) => true,
            (Distance | Speed, [Role::Number, Role::Number]) => true,
            (Sequence { length }, [_, ..]) => {
                (1..=MOST_EVENTS).contains(&length)
                    && roles.iter().all(|role| *role == Role::Number)
            }
            _ => false,
        };
        columns
            && feature.window.is_none_or(|window| window > 0)
            && feature.delay >= 0
            && !(feature.current && feature.delay > 0)
    }
}
