//! The names of a topic in NATS: its stream, and the subjects of its log and of its live messages.
//!
//! A subject ends with the stream's epoch. So no message is stored in, or taken for one of, a stream that was deleted
//! and made anew under the same name. A topic has no `=`, and NATS gives `.` a meaning: the one stands for the other.

use pushoff_model::{Epoch, Topic};

/// The name of a topic's stream.
pub(super) fn stream(topic: &Topic) -> String {
    format!("pushoff_{}", token(topic))
}

/// The subject on which a topic's messages are stored.
pub(super) fn log(topic: &Topic, epoch: Epoch) -> String {
    format!("pushoff.log.{}.{:08x}", token(topic), epoch.0)
}

/// The subject on which NATS sends each message once it is stored.
pub(super) fn live(topic: &Topic, epoch: Epoch) -> String {
    format!("pushoff.live.{}.{:08x}", token(topic), epoch.0)
}

/// The same in any epoch.
pub(super) fn live_in_any_epoch(topic: &Topic) -> String {
    format!("pushoff.live.{}.*", token(topic))
}

/// The epoch in a subject.
pub(super) fn epoch(subject: &str) -> Option<Epoch> {
    let (_, digits) = subject.rsplit_once('.')?;
    u32::from_str_radix(digits, 16).ok().map(Epoch)
}

fn token(topic: &Topic) -> String {
    topic.as_str().replace('.', "=")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic() -> impl Strategy<Value = Topic> {
        "[A-Za-z0-9._-]{1,64}".prop_filter_map("a path", |name| name.parse().ok())
    }

    proptest! {
        #[test]
        fn two_topics_never_share_a_name_and_no_name_has_a_sign_that_nats_reads(one in topic(), other in topic()) {
            prop_assert_eq!(one == other, stream(&one) == stream(&other));
            prop_assert!(!stream(&one).contains(['.', '*', '>', ' ', '/', '\\']));
            prop_assert_eq!(log(&one, Epoch(7)).split('.').count(), 4);
        }

        #[test]
        fn a_subject_tells_its_epoch(topic in topic(), number: u32) {
            prop_assert_eq!(epoch(&live(&topic, Epoch(number))), Some(Epoch(number)));
            prop_assert_eq!(epoch(&log(&topic, Epoch(number))), Some(Epoch(number)));
        }
    }

    #[test]
    fn names_that_an_escape_could_confuse_stay_apart() {
        let names = ["a.b", "a_b", "a-b", "a..b", "a_.b", "a._b"].map(|name| stream(&name.parse().unwrap()));
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert_eq!(names[0], "pushoff_a=b");
    }
}
