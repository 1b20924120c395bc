//! What limits a transport wherever it is used, in a sentence that every document shares.

use pushoff_model::Transport;

/// What whoever takes a transport must know of browsers over HTTP/1.1: `None` where no request stays open, or where the
/// connection is no longer HTTP's. Source: RFC 9112 §9.4 leaves the number open; browsers take six.
pub(crate) fn six_connections(transport: Transport) -> Option<String> {
    let traits = transport.traits();
    let holds_a_request = traits.is_http && !traits.is_duplex && !transport.polls_on_a_timer();
    holds_a_request.then(|| {
        format!(
            "Over HTTP/1.1 a browser opens at most six connections to one host, all tabs together, and {} holds one in \
             every tab: the seventh tab waits. Serve it over HTTP/2, or share one connection between tabs.",
            transport.label()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_told_of_every_request_that_stays_open_and_of_nothing_else() {
        let told: Vec<Transport> = Transport::ALL.into_iter().filter(|it| six_connections(*it).is_some()).collect();
        let names: Vec<&str> = told.iter().map(|it| it.name()).collect();
        assert_eq!(names, ["long-polling", "http-streaming", "sse"]);
    }
}
