//! What a metric is about: tables set those of one scope together, under its label.

use serde::Serialize;

macro_rules! scopes {
    ($($scope:ident $label:literal)+) => {
        /// What a metric is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum Scope { $($scope),+ }

        impl Scope {
            /// In the order of the page.
            pub(crate) const ALL: [Self; [$($label),+].len()] = [$(Self::$scope),+];

            /// Whether a trial over a network shows it: what processors and memory were used is not the transport's there,
            /// and costs are measured without one.
            pub(crate) const fn shows_over_a_network(self) -> bool {
                !matches!(self, Self::Cost | Self::Memory | Self::Processor | Self::Client | Self::Device)
            }

            /// As tables head it.
            pub(crate) const fn label(self) -> &'static str {
                match self { $(Self::$scope => $label),+ }
            }
        }
    };
}

scopes! {
    Slo "Good enough?"
    Cost "Cost at this load"
    Latency "Delivery latency"
    Ledger "Every delivery accounted for"
    RoundTrip "Round trips"
    Down "Bytes down, a delivery"
    Up "Bytes up, a delivery"
    Around "Segments, set-up and silence"
    Memory "Memory, a connection"
    Processor "Processor time"
    Connecting "Connecting"
    Network "Over the network"
    Polling "Polling"
    Client "What the client takes"
    Capacity "The most within the SLO"
    Beyond "Beyond it"
    Plan "What the load would need"
    Device "On a user's device"
}
