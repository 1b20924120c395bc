//! Letters over NATS: JSON, deflated, in as many messages as the server's limit asks for.
//!
//! A message begins with the letter's number (8 bytes) and whether it is the letter's last (1 byte). NATS keeps the order of
//! one sender's messages. A letter of a sender that died is forgotten once too many have begun.

use std::collections::BTreeMap;
use std::io::Read;

use async_nats::Client;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::FleetError;

/// The number and the mark of the last message.
const HEAD: usize = 9;
/// The most letters whose end has not come.
const MOST_BEGUN: usize = 256;
/// The most bytes of a letter, deflated or not: a letter holds some histograms, and the moments of up to a million
/// messages.
const LONGEST: usize = 256 << 20;

/// Sends a letter.
pub(super) async fn send(client: &Client, subject: &str, letter: &(impl Serialize + Sync)) -> Result<(), FleetError> {
    let failed = FleetError::nats("sending a message");
    for message in written(letter, client.max_payload()).map_err(&failed)? {
        client.publish(subject.to_owned(), message.into()).await.map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

/// The messages of a letter, of so many bytes at most.
fn written(letter: &impl Serialize, most: usize) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, letter)?;
    let deflated = encoder.finish()?;
    let number = rand::random::<u64>().to_be_bytes();
    let pieces = deflated.chunks(most.saturating_sub(HEAD).max(1));
    let last = pieces.len().saturating_sub(1);
    let message = |(place, piece): (usize, &[u8])| [&number[..], &[u8::from(place == last)], piece].concat();
    Ok(pieces.enumerate().map(message).collect())
}

/// Puts letters together.
#[derive(Debug, Default)]
pub(super) struct Letters(BTreeMap<[u8; 8], Vec<u8>>);

impl Letters {
    /// Takes a message; the letter, where it is whole.
    pub(super) fn take<T: DeserializeOwned>(&mut self, message: &[u8]) -> Result<Option<T>, FleetError> {
        let wrong = |what: &str| FleetError::Message(what.into());
        let (number, rest) = message.split_first_chunk::<8>().ok_or_else(|| wrong("it is too short"))?;
        let (is_last, piece) = rest.split_first().ok_or_else(|| wrong("it is too short"))?;
        if self.0.len() >= MOST_BEGUN && !self.0.contains_key(number) {
            self.0.clear();
        }
        let begun = self.0.entry(*number).or_default();
        begun.extend_from_slice(piece);
        if begun.len() > LONGEST {
            self.0.remove(number);
            return Err(wrong("it is too long"));
        }
        if *is_last == 0 {
            return Ok(None);
        }
        let deflated = self.0.remove(number).unwrap_or_default();
        let mut text = Vec::new();
        let inflated = ZlibDecoder::new(&*deflated).take(LONGEST as u64).read_to_end(&mut text);
        inflated.map_err(|error| FleetError::Message(error.into()))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| FleetError::Message(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn letters_arrive_whole_whatever_a_message_may_hold(
            letters in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..60), 1..5),
            most in 1_usize..200,
        ) {
            let mut sent: Vec<_> = letters.iter().map(|letter| written(letter, most).unwrap().into_iter()).collect();
            let (mut taken, mut arrived) = (Letters::default(), vec![None; letters.len()]);
            // Messages of several senders come in turn.
            while sent.iter().any(|messages| messages.len() > 0) {
                for (messages, arrived) in sent.iter_mut().zip(&mut arrived) {
                    let Some(message) = messages.next() else { continue };
                    prop_assert!(message.len() <= most.max(HEAD + 1));
                    *arrived = taken.take::<Vec<u64>>(&message).unwrap();
                }
            }
            let arrived: Vec<_> = arrived.into_iter().flatten().collect();
            prop_assert_eq!(arrived, letters);
        }

        #[test]
        fn what_is_no_letter_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let taken = Letters::default().take::<Vec<u64>>(&bytes);
            prop_assert!(!matches!(taken, Ok(Some(_))));
        }
    }

    #[test]
    fn letters_that_never_end_are_forgotten() {
        let mut letters = Letters::default();
        for number in 0..10_000_u64 {
            let begun = [&number.to_be_bytes()[..], &[0], b"abc"].concat();
            assert!(matches!(letters.take::<u64>(&begun), Ok(None)));
        }
        assert!(letters.0.len() <= MOST_BEGUN);
    }
}
