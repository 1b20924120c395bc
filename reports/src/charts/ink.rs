//! The colours that charts are drawn in, by name: stand-ins in the drawing, CSS classes on the page.

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

    /// The transport's own.
    pub(crate) const fn of(transport: Transport) -> Self {
        Self(palette::transport(transport).name)
    }

    fn all() -> impl Iterator<Item = Self> {
        [Self::INK, Self::FAINT, Self::RULE, Self::SLO].into_iter().chain(Transport::ALL.map(Self::of))
    }

    /// The colour that stands for this one until [`classed`].
    pub(super) fn stand_in(self) -> RGBColor {
        let number = Self::all().position(|ink| ink == self).and_then(|at| u8::try_from(at).ok());
        RGBColor(0xFA, 0x01, number.unwrap_or(u8::MAX))
    }
}

/// An SVG drawing with classes in place of the stand-ins.
pub(super) fn classed(mut svg: String) -> String {
    for ink in Ink::all() {
        let RGBColor(red, green, blue) = ink.stand_in();
        for (kind, attribute) in [("s", "stroke"), ("f", "fill")] {
            let stand_in = format!("{attribute}=\"#{red:02X}{green:02X}{blue:02X}\"");
            svg = svg.replace(&stand_in, &format!("class=\"{kind}-{}\"", ink.0));
        }
    }
    svg
}
