//! The compressed forms of a batch, beside it: each is made once, by the first reader who wants it.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::Coding;

/// A form that needs nothing of the connection that sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The whole batch in a content coding.
    Coded(Coding),
    /// Each frame with a deflated payload without context, for a window of so many bits.
    Deflated(u8),
}

/// The forms that were made so far.
#[derive(Debug, Default)]
pub(crate) struct Forms(Mutex<Vec<(Form, Bytes)>>);

impl Forms {
    /// A form, made by `make` where there is none yet. Other readers of the same batch wait meanwhile, rather than do
    /// the same work.
    pub(crate) fn of(&self, form: Form, make: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = made.iter().find(|(of, _)| *of == form) {
            return Some(bytes.clone());
        }
        let bytes = make()?;
        made.push((form, bytes.clone()));
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_made_once_and_not_kept_where_it_could_not_be_made() {
        let forms = Forms::default();
        assert_eq!(forms.of(Form::Deflated(12), || None), None);
        let make = || Some(Bytes::from_static(b"made"));
        assert_eq!(forms.of(Form::Deflated(12), make).unwrap(), "made");
        assert_eq!(forms.of(Form::Deflated(12), || unreachable!()).unwrap(), "made");
        assert_eq!(forms.of(Form::Deflated(9), || None), None);
    }
}
