//! What a figure is about: tables set those of one kind together.

/// What a column is about: the page sets those of one kind together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Good enough?
    Enough,
    /// Delivery latency.
    Latency,
    /// Every message accounted for.
    Ledger,
    /// What it costs.
    Cost,
    /// Beginning and answering.
    Start,
    /// From server to client.
    Down,
    /// From client to server.
    Up,
    /// What crosses beside the messages.
    Around,
    /// Memory a connection.
    Memory,
    /// Processor time.
    Processor,
    /// Making a connection.
    Connecting,
    /// How messages travel: alone or together, at once or when asked for.
    Travel,
    /// Capacity.
    Capacity,
    /// What was seen to hold.
    Held,
    /// Beyond it.
    Beyond,
    /// How cost grows.
    Growth,
    /// What very many would need.
    Million,
}

impl Kind {
    /// The kinds in the order of the page.
    pub(crate) const ALL: [Self; 17] = [
        Self::Enough,
        Self::Latency,
        Self::Ledger,
        Self::Cost,
        Self::Start,
        Self::Down,
        Self::Up,
        Self::Around,
        Self::Memory,
        Self::Processor,
        Self::Connecting,
        Self::Travel,
        Self::Capacity,
        Self::Held,
        Self::Beyond,
        Self::Growth,
        Self::Million,
    ];

    /// As the page heads them.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Enough => "Good enough?",
            Self::Latency => "Delivery latency",
            Self::Ledger => "Every delivery accounted for",
            Self::Cost => "Cost",
            Self::Start => "Connecting and answering",
            Self::Down => "Bytes down, a delivery",
            Self::Up => "Bytes up, a delivery",
            Self::Around => "Segments, set-up and silence",
            Self::Memory => "Memory, a connection",
            Self::Processor => "Processor time",
            Self::Connecting => "Connecting",
            Self::Travel => "Batching, staleness, fan-out",
            Self::Capacity => "The most within the SLO",
            Self::Held => "The highest load that held",
            Self::Beyond => "Beyond it",
            Self::Growth => "Slope over size (0: constant a connection)",
            Self::Million => "What 1 million users would need",
        }
    }
}
