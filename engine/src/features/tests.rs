use std::rc::Rc;

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000_000;

/// One event: time, number, flag, key, place.
#[derive(Debug, Clone)]
struct Event {
    time: i64,
    amount: Option<f64>,
    flag: Option<bool>,
    key: Option<i64>,
    place: Option<(f64, f64)>,
}

impl Event {
    fn values(&self) -> Vec<Value> {
        let number = |x: Option<f64>| x.map_or(Value::Null, Value::Number);
        let key = |k: Option<i64>| k.map_or(Value::Null, |k| Value::Key(Key::Integer(k)));
        let text = self.key.map_or(Value::Null, |k| {
            Value::Key(Key::Bytes(k.to_string().into_bytes().into()))
        });
        vec![
            number(self.amount),
            self.flag.map_or(Value::Null, Value::flag),
            key(self.key),
            number(self.place.map(|place| place.0)),
            number(self.place.map(|place| place.1)),
            text,
        ]
    }
}

const COLUMNS: [Role; 6] = [
    Role::Number,
    Role::Flag,
    Role::Key,
    Role::Number,
    Role::Number,
    Role::Text,
];

fn plan() -> Rc<Plan> {
    use Aggregate::*;
    let mut features = Vec::new();
    for window in [None, Some(1), Some(5), Some(100), Some(DAY)] {
        for (delay, current) in [(0, true), (0, false), (3, false), (50, false)] {
            let mut add = |aggregate, columns: &[usize]| {
                features.push(Feature {
                    aggregate,
                    columns: columns.to_vec(),
                    window,
                    delay,
                    current,
                });
            };
            add(Count, &[]);
            for aggregate in [Count, Sum, Avg, Min, Max, Stddev, Ratio, Zscore] {
                add(aggregate, &[0]);
            }
            add(Distinct, &[2]);
            add(Share, &[1]);
            add(Risk, &[1]);
            if (delay, current) == (0, false) {
                add(Last, &[0]);
                add(Last, &[5]);
                add(TimeSinceLast, &[]);
                add(TimeSinceLast, &[2]);
                add(FirstSeen, &[]);
                add(FirstSeen, &[2]);
                add(Distance, &[3, 4]);
                add(Speed, &[3, 4]);
            }
        }
    }
    for length in [1, 2, 5] {
        features.push(Feature {
            aggregate: Sequence { length },
            columns: vec![0, 3],
            window: None,
            delay: 0,
            current: false,
        });
    }
    let plan = Plan {
        columns: COLUMNS.to_vec(),
        features,
    };
    assert!(plan.is_valid());
    Rc::new(plan)
}

fn answer(state: &mut State) -> (Vec<Option<u64>>, Vec<Option<String>>) {
    let Answer { numbers, texts } = state.features().unwrap();
    let text = |text: &Option<Rc<[u8]>>| {
        text.as_ref()
            .map(|text| String::from_utf8(text.to_vec()).unwrap())
    };
    (
        numbers.iter().map(|x| x.map(f64::to_bits)).collect(),
        texts.iter().map(text).collect(),
    )
}

/// Every feature by its definition, over all events up to and including the last.
fn by_definition(plan: &Plan, events: &[Event]) -> Vec<Option<f64>> {
    let (now, before) = events.split_last().unwrap();
    let mut output = Vec::new();
    for feature in &plan.features {
        let inside = |event: &&Event| {
            event.time <= now.time - feature.delay
                && feature
                    .window
                    .is_none_or(|window| event.time > now.time - feature.delay - window)
        };
        let mut window: Vec<&Event> = before.iter().filter(inside).collect();
        if feature.current {
            window.push(now);
        }
        let amounts: Vec<f64> = window.iter().filter_map(|event| event.amount).collect();
        let n = amounts.len() as f64;
        let sum = || exactly(&amounts);
        let mean = || (n > 0.0).then(|| sum() / n);
        let deviation = || {
            let eighths = || amounts.iter().map(|x| (x * 8.0) as i128);
            let squares: i128 = eighths().map(|x| x * x).sum();
            let squared_sum = eighths().sum::<i128>().pow(2);
            let scaled = (amounts.len() as i128 * squares - squared_sum) as f64;
            (n > 1.0).then(|| (scaled / (n * (n - 1.0))).sqrt() / 8.0)
        };
        let flags: Vec<bool> = window.iter().filter_map(|event| event.flag).collect();
        let share = (!flags.is_empty())
            .then(|| flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64);
        let same = || {
            window
                .iter()
                .rev()
                .find(|event| now.key.is_some() && event.key == now.key)
        };
        let from = window.iter().rev().find(|event| event.place.is_some());
        let distance = || Some(geo::kilometres(from?.place?, now.place?));
        let value = match (feature.aggregate, feature.columns.as_slice()) {
            (Aggregate::Count, []) => Some(window.len() as f64),
            (Aggregate::Count, _) => Some(n),
            (Aggregate::Sum, _) => (n > 0.0).then(sum),
            (Aggregate::Avg, _) => mean(),
            (Aggregate::Min, _) => amounts.iter().copied().reduce(f64::min),
            (Aggregate::Max, _) => amounts.iter().copied().reduce(f64::max),
            (Aggregate::Stddev, _) => deviation(),
            (Aggregate::Distinct, _) => {
                let mut keys: Vec<i64> = window.iter().filter_map(|event| event.key).collect();
                keys.sort_unstable();
                keys.dedup();
                Some(keys.len() as f64)
            }
            (Aggregate::Share, _) => share,
            (Aggregate::Risk, _) => Some(share.unwrap_or(0.0)),
            (Aggregate::Last, [0]) => window.iter().rev().find_map(|event| event.amount),
            (Aggregate::Last, _) => None,
            (Aggregate::TimeSinceLast, []) => window
                .last()
                .map(|event| (now.time - event.time) as f64 / 1e6),
            (Aggregate::TimeSinceLast, _) => {
                same().map(|event| (now.time - event.time) as f64 / 1e6)
            }
            (Aggregate::FirstSeen, []) => Some(f64::from(u8::from(window.is_empty()))),
            (Aggregate::FirstSeen, _) => now.key.map(|_| f64::from(u8::from(same().is_none()))),
            (Aggregate::Ratio, _) => match (now.amount, mean()) {
                (Some(x), Some(mean)) if mean != 0.0 => Some(x / mean),
                _ => None,
            },
            (Aggregate::Zscore, _) => match (now.amount, mean(), deviation()) {
                (Some(_), _, Some(_)) if amounts.iter().all(|x| *x == amounts[0]) => Some(0.0),
                (Some(x), Some(mean), Some(deviation)) => Some((x - mean) / deviation),
                _ => None,
            },
            (Aggregate::Distance, _) => distance(),
            (Aggregate::Speed, _) => distance()
                .zip(from)
                .map(|(km, from)| geo::speed(km, now.time - from.time)),
            (Aggregate::Sequence { length }, _) => {
                let last = &events[events.len().saturating_sub(length)..];
                let missing = length - last.len();
                output.extend(vec![Some(0.0); missing * 2]);
                last.iter().for_each(|event| {
                    output.extend([event.amount, event.place.map(|place| place.0)])
                });
                output.extend((0..length).map(|i| Some(f64::from(u8::from(i >= missing)))));
                continue;
            }
        };
        output.push(value);
    }
    output
}

/// The sum of whole numbers of eighths, which i128 holds.
fn exactly(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| (x * 8.0) as i128).sum::<i128>() as f64 / 8.0
}

fn event() -> impl Strategy<Value = Event> {
    let amount = prop_oneof![4 => (-400i32..4000).prop_map(|x| f64::from(x) / 8.0), 1 => Just(1e15), 1 => Just(-1e15 + 0.125)];
    let place = (-90f64..90.0, -180f64..180.0);
    (
        // Steps between events: ties, small, and beyond every window.
        prop_oneof![4 => Just(0i64), 4 => 1i64..4, 2 => 4i64..60, 1 => 90i64..110, 1 => Just(DAY), 1 => Just(DAY - 1)],
        prop::option::weighted(0.9, amount),
        prop::option::weighted(0.8, any::<bool>()),
        prop::option::weighted(0.9, 0i64..4),
        prop::option::weighted(0.8, place),
    )
        .prop_map(|(time, amount, flag, key, place)| Event { time, amount, flag, key, place })
}

fn stream(most: usize) -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..most).prop_map(|mut events| {
        let mut time = 1_000_000_000;
        for event in &mut events {
            time += event.time;
            event.time = time;
        }
        events
    })
}

fn feed(state: &mut State, event: &Event) {
    state.event(Some(event.time), event.values()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn features_are_as_defined(events in stream(80)) {
        let plan = plan();
        let mut state = State::new(plan.clone());
        for i in 0..events.len() {
            feed(&mut state, &events[i]);
            let found = state.features().unwrap().numbers.to_vec();
            let expected = by_definition(&plan, &events[..=i]);
            prop_assert_eq!(found.len(), expected.len());
            let mut position = 0;
            for feature in &plan.features {
                for _ in 0..feature.width() {
                    let (found, expected) = (found[position], expected[position]);
                    let agree = match (found, expected) {
                        (Some(a), Some(b)) => match feature.aggregate {
                            // Roots and quotients round in another order.
                            Aggregate::Stddev | Aggregate::Zscore => (a - b).abs() <= 1e-14 * b.abs(),
                            _ => a == b,
                        },
                        (a, b) => a == b,
                    };
                    prop_assert!(agree, "{:?}: {:?}, not {:?}", feature, found, expected);
                    position += 1;
                }
            }
        }
    }

    #[test]
    fn asking_now_and_then_changes_nothing(events in stream(120), asked in prop::collection::vec(any::<bool>(), 120)) {
        let (mut often, mut seldom) = (State::new(plan()), State::new(plan()));
        for (event, asked) in events.iter().zip(asked) {
            feed(&mut often, event);
            feed(&mut seldom, event);
            let first = answer(&mut often);
            prop_assert_eq!(&first, &answer(&mut often));
            if asked {
                prop_assert_eq!(&first, &answer(&mut seldom));
            }
        }
    }

    #[test]
    fn what_left_a_window_leaves_no_trace(events in stream(120), odd in prop::collection::vec(0usize..8, 120)) {
        use Aggregate::*;
        let odd_values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, 1e308, 5e-324, 0.1];
        let events: Vec<Event> = events
            .into_iter()
            .zip(odd)
            .map(|(event, odd)| Event { amount: event.amount.map(|_| odd_values[odd]), ..event })
            .collect();
        let mut features = Vec::new();
        for (delay, current) in [(0, true), (0, false), (20, false)] {
            for (aggregate, column) in [(Count, 0), (Sum, 0), (Avg, 0), (Min, 0), (Max, 0), (Stddev, 0), (Ratio, 0),
                                        (Zscore, 0), (Distinct, 2), (Share, 1), (Risk, 1)] {
                features.push(Feature { aggregate, columns: vec![column], window: Some(60), delay, current });
            }
        }
        let plan = Rc::new(Plan { columns: COLUMNS.to_vec(), features });
        let mut state = State::new(plan.clone());
        for i in 0..events.len() {
            feed(&mut state, &events[i]);
            let mut fresh = State::new(plan.clone());
            let start = events[i].time - 80;
            events[..=i].iter().filter(|event| event.time > start).for_each(|event| feed(&mut fresh, event));
            prop_assert_eq!(answer(&mut state), answer(&mut fresh));
        }
    }

    #[test]
    fn a_moment_sees_what_an_event_then_would_find(events in stream(60), later in 0i64..200) {
        let plan = plan();
        let mut state = State::new(plan.clone());
        events.iter().for_each(|event| feed(&mut state, event));
        let time = events.last().unwrap().time + later;
        state.moment(time).unwrap();
        let at_moment = answer(&mut state);
        let nothing = Event { time, amount: None, flag: None, key: None, place: None };
        feed(&mut state, &nothing);
        let at_event = answer(&mut state);
        let mut position = 0;
        for (i, feature) in plan.features.iter().enumerate() {
            // An event is counted where the window includes it, and its sequence is its own.
            let own = feature.current && feature.aggregate == Aggregate::Count && feature.columns.is_empty();
            if !own && !matches!(feature.aggregate, Aggregate::Sequence { .. }) {
                prop_assert_eq!(at_moment.0[position], at_event.0[position], "{:?}", feature);
            }
            prop_assert_eq!(&at_moment.1[i], &at_event.1[i]);
            position += feature.width();
        }
    }
}

#[test]
fn last_text_is_the_latest_that_is_not_null() {
    let feature = Feature {
        aggregate: Aggregate::Last,
        columns: vec![5],
        window: Some(10),
        delay: 0,
        current: false,
    };
    let mut state = State::new(Rc::new(Plan {
        columns: COLUMNS.to_vec(),
        features: vec![feature],
    }));
    let event = |time, key| Event {
        time,
        amount: None,
        flag: None,
        key,
        place: None,
    };
    let mut texts = Vec::new();
    for (time, key) in [
        (0, Some(7)),
        (3, None),
        (3, Some(8)),
        (5, None),
        (13, Some(9)),
    ] {
        feed(&mut state, &event(time, key));
        texts.push(answer(&mut state).1[0].clone());
    }
    let expected = [None, Some("7"), Some("7"), Some("8"), None];
    assert_eq!(texts, expected.map(|text| text.map(str::to_owned)));
}

#[test]
fn events_without_a_time_have_no_features_and_no_future() {
    let mut state = State::new(plan());
    let event = Event {
        time: 5,
        amount: Some(1.0),
        flag: None,
        key: None,
        place: None,
    };
    feed(&mut state, &event);
    let before = answer(&mut state);
    state.event(None, event.values()).unwrap();
    assert!(state.features().is_none());
    let mut fresh = State::new(plan());
    feed(&mut fresh, &event);
    assert_eq!(before, answer(&mut fresh));
    feed(&mut state, &event);
    feed(&mut fresh, &event);
    assert_eq!(answer(&mut state), answer(&mut fresh));
    assert_eq!(state.event(Some(4), event.values()), Err(OutOfOrder));
}

#[test]
fn times_at_the_end_of_the_world() {
    for time in [i64::MIN, i64::MAX] {
        let event = Event {
            time,
            amount: Some(1.0),
            flag: None,
            key: Some(1),
            place: None,
        };
        let mut state = State::new(plan());
        feed(&mut state, &event);
        feed(&mut state, &event);
        let counts = answer(&mut state).0;
        assert_eq!(counts[0], Some(2f64.to_bits()));
    }
}

#[test]
fn plans_that_cannot_be() {
    let feature = |aggregate, columns: &[usize]| Feature {
        aggregate,
        columns: columns.to_vec(),
        window: None,
        delay: 0,
        current: false,
    };
    for bad in [
        feature(Aggregate::Sum, &[]),
        feature(Aggregate::Sum, &[2]),
        feature(Aggregate::Sum, &[9]),
        feature(Aggregate::Distinct, &[0]),
        feature(Aggregate::Distance, &[3]),
        feature(Aggregate::Sequence { length: 0 }, &[0]),
        feature(Aggregate::Sequence { length: 1001 }, &[0]),
        feature(Aggregate::Sequence { length: 1 }, &[0; 51]),
        Feature {
            window: Some(0),
            ..feature(Aggregate::Count, &[])
        },
        Feature {
            delay: 1,
            current: true,
            ..feature(Aggregate::Count, &[])
        },
        Feature {
            delay: -1,
            ..feature(Aggregate::Count, &[])
        },
    ] {
        assert!(
            !Plan {
                columns: COLUMNS.to_vec(),
                features: vec![bad]
            }
            .is_valid()
        );
    }
    let sequences = |number| vec![feature(Aggregate::Sequence { length: 1000 }, &[0; 9]); number];
    let valid = |columns, features| {
        Plan {
            columns: vec![Role::Number; columns],
            features,
        }
        .is_valid()
    };
    assert!(valid(90, sequences(10)));
    assert!(!valid(90, sequences(11)));
    assert!(!valid(91, sequences(10)));
    assert!(!valid(1, vec![feature(Aggregate::Count, &[]); 501]));
}

#[test]
fn memory_is_that_of_the_windows() {
    let feature = |aggregate, columns: &[usize], window| Feature {
        aggregate,
        columns: columns.to_vec(),
        window,
        delay: 0,
        current: true,
    };
    let features = vec![
        feature(Aggregate::Sum, &[0], Some(10)),
        feature(Aggregate::Max, &[0], None),
        feature(Aggregate::Min, &[0], Some(10)),
        feature(Aggregate::Avg, &[0], None),
    ];
    let mut state = State::new(Rc::new(Plan {
        columns: COLUMNS.to_vec(),
        features,
    }));
    for time in 0..100_000 {
        let event = Event {
            time,
            amount: Some(-(time as f64)),
            flag: None,
            key: Some(time),
            place: None,
        };
        feed(&mut state, &event);
        state.features();
    }
    assert!(state.held() <= 60, "{}", state.held());
}
