//! The colours that charts are drawn in, by name: stand-ins until the drawing is done.

use plotters::style::RGBColor;
use pushoff_model::Transport;

use crate::palette;

/// A colour of the palette, by the name of its CSS variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink(pub(super) &'static str);

impl Ink {
    pub(crate) const INK: Self = Self("ink");
    pub(crate) const FAINT: Self = Self("faint");
    pub(crate) const RULE: Self = Self("rule");
    pub(crate) const SLO: Self = Self("slo");
    const FIXED: [Self; 4] = [Self::INK, Self::FAINT, Self::RULE, Self::SLO];

    /// The transport's own.
    pub(crate) const fn of(transport: Transport) -> Self {
        Self(palette::transport(transport).name)
    }

    /// A server's, by its place in the run.
    pub(crate) const fn of_server(place: usize) -> Self {
        Self(palette::server(place).name)
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        let servers = (0..palette::SERVERS).map(Self::of_server);
        Self::FIXED.into_iter().chain(Transport::ALL.map(Self::of)).chain(servers)
    }

    /// The colour that stands for this one until the drawing is done.
    pub(super) fn stand_in(self) -> RGBColor {
        let number = Self::all().position(|ink| ink == self).and_then(|at| u8::try_from(at).ok());
        RGBColor(0xFA, 0x01, number.unwrap_or(u8::MAX))
    }
}
