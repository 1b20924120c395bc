//! The ground that every chart is drawn on: axes, lines, bands, points and labels, as SVG.
//!
//! Colours are CSS classes, so that one drawing serves paper, night and print. Points lie over the lines as
//! focusable groups with their value. Three units are a CSS pixel where a chart is 420 px wide.

use maud::{Markup, html};
use pushoff_model::Transport;

use super::axis::Axis;
use crate::palette;

/// Width and height of the drawing.
pub(crate) const SIZE: (i32, i32) = (1_260, 960);
/// Height of a line of text.
pub(crate) const LINE: i32 = 44;
const TOP: i32 = 112;
const BOTTOM: i32 = 140;

/// A colour of the palette, by the name of its CSS variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink(&'static str);

impl Ink {
    pub(crate) const INK: Self = Self("ink");
    pub(crate) const FAINT: Self = Self("faint");
    pub(crate) const RULE: Self = Self("rule");
    pub(crate) const SLO: Self = Self("slo");

    /// The transport's own.
    pub(crate) const fn of(transport: Transport) -> Self {
        Self(palette::transport(transport).name)
    }

    fn stroke(self) -> String {
        format!("s-{}", self.0)
    }

    fn fill(self) -> String {
        format!("f-{}", self.0)
    }
}

/// Where a text is held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hold {
    Left,
    Middle,
    Right,
}

/// Space around the plot, for labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margins {
    pub(crate) left: i32,
    pub(crate) right: i32,
}

impl Margins {
    /// Room for ticks on the left and for transports' names on the right.
    pub(crate) const LINES: Self = Self { left: 160, right: 372 };
    /// Room for transports' names on the left and for values on the right.
    pub(crate) const ROWS: Self = Self { left: 345, right: 180 };
}

/// A chart in the making.
pub(crate) struct Canvas {
    x: Axis,
    y: Axis,
    margins: Margins,
    drawn: Vec<Markup>,
    points: Vec<Markup>,
}

/// Draws a chart: its axes, and what `body` puts between them.
pub(crate) fn draw(x: Axis, y: Axis, margins: Margins, body: impl FnOnce(&mut Canvas)) -> Markup {
    let mut canvas = Canvas { x, y, margins, drawn: Vec::new(), points: Vec::new() };
    canvas.axes();
    body(&mut canvas);
    html! { @for part in canvas.drawn.into_iter().chain(canvas.points) { (part) } }
}

impl Canvas {
    /// Where a value of the horizontal axis lies.
    #[expect(clippy::cast_possible_truncation, reason = "a place on the drawing")]
    pub(crate) fn at_x(&self, value: f64) -> i32 {
        let (left, right) = (f64::from(self.left()), f64::from(self.right()));
        (left + (right - left) * self.x.place(value)).round() as i32
    }

    /// Where a value of the vertical axis lies.
    #[expect(clippy::cast_possible_truncation, reason = "a place on the drawing")]
    pub(crate) fn at_y(&self, value: f64) -> i32 {
        let (top, bottom) = (f64::from(TOP), f64::from(self.bottom()));
        (bottom - (bottom - top) * self.y.place(value)).round() as i32
    }

    const fn left(&self) -> i32 {
        self.margins.left
    }

    pub(crate) const fn right(&self) -> i32 {
        SIZE.0 - self.margins.right
    }

    const fn bottom(&self) -> i32 {
        SIZE.1 - BOTTOM
    }

    fn axes(&mut self) {
        let (left, right, bottom) = (self.left(), self.right(), self.bottom());
        for (value, words) in self.x.ticks.clone() {
            let x = self.at_x(value);
            self.rule((x, TOP), (x, bottom), Ink::RULE, 2);
            self.text((x, bottom + 14 + LINE / 2), &words, Ink::FAINT, Hold::Middle);
        }
        for (value, words) in self.y.ticks.clone() {
            let y = self.at_y(value);
            self.rule((left, y), (right, y), Ink::RULE, 2);
            self.text((left - 14, y), &words, Ink::FAINT, Hold::Right);
        }
        self.rule((left, bottom), (right, bottom), Ink::FAINT, 3);
        let names = (self.x.name, self.y.name);
        self.text((right, bottom + 28 + LINE * 3 / 2), names.0, Ink::FAINT, Hold::Right);
        self.text((8, TOP - 40 - LINE), names.1, Ink::FAINT, Hold::Left);
    }

    /// A line through values, dashed as its ink is.
    pub(crate) fn line(&mut self, values: &[(f64, f64)], ink: Ink, width: i32) {
        let points = self.places(values);
        self.drawn.push(html! { polyline class=(ink.stroke()) fill="none" stroke-width=(width) points=(points) {} });
    }

    /// A straight line between places on the drawing, solid whatever its ink.
    pub(crate) fn rule(&mut self, from: (i32, i32), to: (i32, i32), ink: Ink, width: i32) {
        self.drawn.push(html! {
            line class=(ink.stroke()) stroke-width=(width) x1=(from.0) y1=(from.1) x2=(to.0) y2=(to.1) {}
        });
    }

    /// What lies between two lines: an interval.
    pub(crate) fn band(&mut self, low: &[(f64, f64)], high: &[(f64, f64)], ink: Ink) {
        let outline: Vec<_> = low.iter().chain(high.iter().rev()).copied().collect();
        let points = self.places(&outline);
        self.drawn.push(html! { polygon class=(ink.fill()) opacity="0.13" points=(points) {} });
    }

    fn places(&self, values: &[(f64, f64)]) -> String {
        let places = values.iter().map(|&(x, y)| format!("{},{}", self.at_x(x), self.at_y(y)));
        places.collect::<Vec<_>>().join(" ")
    }

    /// Words at a place on the drawing.
    pub(crate) fn text(&mut self, at: (i32, i32), words: &str, ink: Ink, hold: Hold) {
        let anchor = match hold {
            Hold::Left => "start",
            Hold::Middle => "middle",
            Hold::Right => "end",
        };
        self.drawn
            .push(html! { text class=(ink.fill()) x=(at.0) y=(at.1) dy=".35em" text-anchor=(anchor) { (words) } });
    }

    /// A measured point with what it says on hover and focus.
    pub(crate) fn point(&mut self, at: (i32, i32), transport: Transport, is_hollow: bool, says: &str) {
        let ink = Ink::of(transport);
        self.points.push(html! {
            g.pt.hollow[is_hollow] tabindex="-1" transform=(format!("translate({},{})", at.0, at.1)) data-say=(says) {
                circle.hit r="26" {}
                path class=(if is_hollow { ink.stroke() } else { ink.fill() }) d=(transport.traits().marker) {}
                title { (says) }
            }
        });
    }

    /// The SLO's time across a vertical axis of latency.
    pub(crate) fn slo_across(&mut self, value: f64, words: &str) {
        let y = self.at_y(value);
        self.rule((self.left(), y), (self.right(), y), Ink::SLO, 4);
        self.text((self.left() + 10, y - LINE / 2 - 4), words, Ink::SLO, Hold::Left);
    }

    /// Names at the right end of lines, moved apart where they would overlap, each led to its line.
    pub(crate) fn end_labels(&mut self, ends: &[(f64, f64, Transport)]) {
        let wanted: Vec<i32> = ends.iter().map(|end| self.at_y(end.1)).collect();
        let places = super::labels::apart(&wanted, LINE, TOP, self.bottom());
        for ((end, from), to) in ends.iter().zip(wanted).zip(places) {
            let (x, edge) = (self.at_x(end.0), self.right());
            self.rule((x, from), (edge + 8, from), Ink::RULE, 3);
            self.rule((edge + 8, from), (edge + 28, to), Ink::RULE, 3);
            self.text((edge + 36, to), end.2.label(), Ink::of(end.2), Hold::Left);
        }
    }

    /// Names of rows, at the left; row 0 is the highest of so many.
    pub(crate) fn row_labels(&mut self, rows: &[Transport]) {
        for (index, transport) in rows.iter().enumerate() {
            let at = (self.left() - 20, self.row(index, rows.len()));
            self.text(at, transport.label(), Ink::of(*transport), Hold::Right);
        }
    }

    /// The height of a row.
    pub(crate) fn row(&self, index: usize, rows: usize) -> i32 {
        let (index, rows) = (i32::try_from(index).unwrap_or(0), i32::try_from(rows.max(1)).unwrap_or(1));
        TOP + (self.bottom() - TOP) * (2 * index + 1) / (2 * rows)
    }
}
