//! Why there is no network.

use std::io;

/// Why a network could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// No user namespace may be made.
    #[error(
        "this system lets {} make no user namespace ({source}): run as root, or allow it \
         (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, AppArmor)",
        who()
    )]
    NoUserNamespace {
        /// The system's reason.
        source: io::Error,
    },
    /// A step of making the namespaces failed.
    #[error("a network needs {what}, and this system refuses it: {source}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl NetworkError {
    pub(crate) fn refused(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Refused { what, source }
    }
}

fn who() -> String {
    format!("user {}", rustix::process::geteuid().as_raw())
}
