use super::*;
use crate::units::Share;

#[test]
fn every_built_in_workload_is_valid_and_named_as_its_file() {
    for (name, _) in BUILT_IN {
        assert_eq!(built_in(name).unwrap().unwrap().name, name);
    }
    assert!(built_in("nonsense").is_none());
}

#[test]
fn a_workload_survives_its_record() {
    for (name, _) in BUILT_IN {
        let workload = built_in(name).unwrap().unwrap();
        let text = serde_json::to_string(&workload).unwrap();
        assert_eq!(serde_json::from_str::<Workload>(&text).unwrap(), workload, "{text}");
    }
}

#[test]
fn a_record_keeps_what_decides_and_an_old_one_has_the_default() {
    let mut workload = built_in("ticker").unwrap().unwrap();
    let mut old = serde_json::to_value(&workload).unwrap();
    old.as_object_mut().unwrap().remove("decide");
    assert_eq!(serde_json::from_value::<Workload>(old).unwrap().decide, Decide::default());
    workload.decide = Decide { margin: Share::new(0.5).unwrap(), freshness: Some(Duration::from_millis(3)) };
    let text = serde_json::to_string(&workload).unwrap();
    assert_eq!(serde_json::from_str::<Workload>(&text).unwrap(), workload, "{text}");
}

#[test]
fn another_load_changes_the_load_alone() {
    let ticker = built_in("ticker").unwrap().unwrap();
    let (more, fewer) = (ticker.at(Growth::Rate, 50.0), ticker.at(Growth::Subscribers, 0.2));
    assert_eq!((more.offered(Growth::Rate), more.subscribers), (50.0, ticker.subscribers));
    assert_eq!((fewer.subscribers, fewer.topics), (5, 5), "one a topic at the least");
    assert_eq!(ticker.at(Growth::Rate, 1e12), ticker.at(Growth::Rate, OfferedRate::MAX));
    assert_eq!(more.at(Growth::Rate, ticker.offered(Growth::Rate)), ticker);
}

#[test]
fn whoever_publishes_nothing_has_no_publisher() {
    let idle = built_in("idle").unwrap().unwrap();
    assert!(idle.is_silent() && idle.slo.is_none());
    assert_eq!(idle.publishers(), 0);
}

#[test]
fn subscribers_are_dealt_evenly() {
    let chat = built_in("chat").unwrap().unwrap();
    let in_first = (0..chat.subscribers).filter(|&number| chat.topic_of(number) == 0).count();
    assert_eq!(in_first, 10);
    let uneven = Workload { topics: 3, subscribers: 8, ..chat };
    assert_eq!([0, 1, 2].map(|topic| uneven.audience(topic)), [3, 3, 2]);
}
