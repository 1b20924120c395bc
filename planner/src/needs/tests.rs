//! What is typed, and what is refused.

use super::*;

const ASKED: Asked<'static> = Asked {
    users: Some("1M"),
    rate: Some("0.2/s"),
    payload: Some("300B"),
    staleness: Some("2s"),
    audience: None,
    up_rate: None,
    direction: None,
    rtt: None,
    margin: None,
    freshness: None,
};

#[test]
fn what_is_typed_is_what_is_planned_for() {
    assert_eq!(Needs::parse(&ASKED), Ok(Needs::EXAMPLE));
    let rooms = Asked { audience: Some("20"), direction: Some("both"), rtt: Some("100ms"), ..ASKED };
    let rooms = Needs::parse(&rooms).unwrap();
    assert_eq!((rooms.audience, rooms.up_rate), (Some(20.0), 0.01));
    // 1 million users, each told 0.2 times a second by one of 20: a 20th of the deliveries is said.
    assert!((rooms.spoken() - 10_000.0).abs() < 1e-6 && (rooms.way() - 0.1).abs() < 1e-12);
    assert!((Needs::EXAMPLE.way() - 0.02).abs() < 1e-12 && Needs::EXAMPLE.spoken() < 1e-12);
    let players = Asked { up_rate: Some("50/s"), ..ASKED };
    assert!((Needs::parse(&players).unwrap().spoken() - 5e7).abs() < 1e-6);
}

#[test]
fn differences_that_matter_are_a_tenth_of_the_cost_and_of_the_staleness_unless_said_otherwise() {
    let rule = |asked: Asked<'_>| Needs::parse(&asked).unwrap().rule();
    assert_eq!(rule(ASKED), Rule::predicted(0.10, 2e8));
    let own = Asked { margin: Some("5%"), freshness: Some("1s"), ..ASKED };
    assert_eq!(rule(own), Rule::predicted(0.05, 1e9));
}

#[test]
fn everybody_stays_everybody_and_a_room_is_never_larger_than_all() {
    let fewer = Need::Users.with(&Needs { audience: Some(50.0), ..Needs::EXAMPLE }, 10.0).unwrap();
    assert!((fewer.audience() - 10.0).abs() < 1e-9);
    assert!((Need::Users.with(&Needs::EXAMPLE, 7.0).unwrap().audience() - 7.0).abs() < 1e-9);
    assert_eq!(Need::Users.with(&Needs::EXAMPLE, 0.5), None);
}

#[test]
fn who_publishes_all_that_is_heard_publishes_more_where_more_is_heard() {
    let rooms = Needs::parse(&Asked { audience: Some("20"), direction: Some("both"), ..ASKED }).unwrap();
    let typed = Needs::parse(&Asked { audience: Some("20"), direction: Some("both"), rate: Some("2/s"), ..ASKED });
    assert_eq!(Need::Rate.with(&rooms, 2.0), typed.ok());
    let few = Asked { users: Some("7"), direction: Some("both"), ..ASKED };
    let all = Needs::parse(&Asked { users: Some("20"), ..few }).unwrap();
    assert_eq!(Need::Users.with(&all, 7.0), Needs::parse(&few).ok());
}

#[test]
fn what_cannot_be_planned_for_is_named_with_what_can() {
    let cases = [
        (Asked { users: Some("0"), ..ASKED }, "--users is 0: 1 to 1G users"),
        (Asked { users: Some("1.5"), ..ASKED }, "--users is 1.5: "),
        (Asked { users: Some("NaN"), ..ASKED }, "--users is NaN: "),
        (Asked { users: None, ..ASKED }, "--users is missing: "),
        (Asked { rate: Some("-1/s"), ..ASKED }, "--rate is -1/s: 1/d to 1000/s"),
        (Asked { rate: Some("0/s"), ..ASKED }, "--rate is 0/s: "),
        (Asked { rate: Some("2"), ..ASKED }, "--rate is 2: "),
        (Asked { rate: Some("2/fortnight"), ..ASKED }, "--rate is 2/fortnight: "),
        (Asked { payload: Some("1TB"), ..ASKED }, "--payload is 1TB: 1B to 64KiB"),
        (Asked { payload: Some("3 stone"), ..ASKED }, "--payload is 3 stone: "),
        (Asked { staleness: Some("2"), ..ASKED }, "--staleness is 2: 1ms to 1h"),
        (Asked { staleness: Some("1d"), ..ASKED }, "--staleness is 1d: "),
        (Asked { staleness: Some(""), ..ASKED }, "--staleness is empty: "),
        (Asked { audience: Some("2M"), ..ASKED }, "--audience is 2M, and there are 1M users"),
        (Asked { audience: Some("0"), ..ASKED }, "--audience is 0: "),
        (Asked { direction: Some("up"), ..ASKED }, "--direction is up: `down`"),
        (Asked { direction: Some("both"), up_rate: Some("1/s"), ..ASKED }, "--direction is both: --up-rate says"),
        (Asked { up_rate: Some("0/s"), ..ASKED }, "--up-rate is 0/s: 1/d to 1000/s"),
        (Asked { rtt: Some("11s"), ..ASKED }, "--rtt is 11s: "),
        (Asked { margin: Some("0.1"), ..ASKED }, "--margin is 0.1: the share"),
        (Asked { margin: Some("NaN%"), ..ASKED }, "--margin is NaN%: the share"),
        (Asked { freshness: Some("1d"), ..ASKED }, "--freshness is 1d: the time"),
    ];
    for (asked, said) in cases {
        let sentence = Needs::parse(&asked).unwrap_err().to_string();
        assert!(sentence.starts_with(said) && !sentence.contains('\n'), "{sentence}");
    }
}
