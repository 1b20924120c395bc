//! The ground that every chart is drawn on: axes, lines, bands, points and labels.
//!
//! Drawn with plotters; colours are stand-ins that become CSS classes, so that one drawing
//! serves paper, night and print. Points are laid over it as focusable groups with their value.

use std::io;

use maud::{Markup, PreEscaped, html};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle, RGBColor, ShapeStyle, TextStyle};
use pushoff_model::Transport;

use super::axis::Axis;
pub(crate) use super::ink::Ink;
use crate::ReportError;

/// Size of the drawing. Three units are a CSS pixel at 420 px wide, so that whole units are fine
/// enough and text stays above 11 px on a phone.
const SIZE: (u32, u32) = (1_260, 960);
/// Height of a line of text.
pub(crate) const LINE: i32 = 44;

/// What went wrong while drawing.
pub(crate) type Drawing = DrawingAreaErrorKind<io::Error>;

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

const TOP: i32 = 112;
const BOTTOM: i32 = 140;

/// A chart in the making.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    margins: Margins,
    points: Vec<Markup>,
}

/// Draws a chart and gives its SVG, without the outer description.
///
/// # Errors
/// When plotters cannot draw it.
pub(crate) fn draw(
    x: Axis,
    y: Axis,
    margins: Margins,
    body: impl FnOnce(&mut Canvas<'_>) -> Result<(), Drawing>,
) -> Result<Markup, ReportError> {
    let mut svg = String::new();
    let failed = |error: Drawing| ReportError::Chart(error.to_string());
    let points = {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut canvas = Canvas { area, x, y, margins, points: Vec::new() };
        canvas.axes().and_then(|()| body(&mut canvas)).map_err(failed)?;
        canvas.area.present().map_err(failed)?;
        canvas.points
    };
    Ok(html! {
        (PreEscaped(styled(&svg)))
        @for point in points { (point) }
    })
}

/// The drawing without its outer element, with classes in place of colours.
fn styled(svg: &str) -> String {
    let start = svg.find('>').map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    let mut body = svg.get(start..end).unwrap_or_default().replace(" opacity=\"1\"", "");
    body = body.replace(" font-family=\"sans-serif\"", "").replace(",0 \"", ",0\"").replace("\n</text>", "</text>");
    for ink in Ink::all() {
        let RGBColor(red, green, blue) = ink.stand_in();
        let hex = format!("#{red:02X}{green:02X}{blue:02X}");
        body = body.replace(&format!("stroke=\"{hex}\""), &format!("class=\"s-{}\"", ink.0));
        body = body.replace(&format!("fill=\"{hex}\""), &format!("class=\"f-{}\"", ink.0));
    }
    body
}

impl Canvas<'_> {
    /// Where a value of the horizontal axis lies.
    #[expect(clippy::cast_possible_truncation, reason = "a place on the drawing")]
    pub(crate) fn at_x(&self, value: f64) -> i32 {
        let (left, right) = (f64::from(self.left()), f64::from(self.right()));
        (left + (right - left) * self.x.place(value)).round() as i32
    }

    /// Where a value of the vertical axis lies.
    #[expect(clippy::cast_possible_truncation, reason = "a place on the drawing")]
    pub(crate) fn at_y(&self, value: f64) -> i32 {
        let (top, bottom) = (f64::from(self.top()), f64::from(self.bottom()));
        (bottom - (bottom - top) * self.y.place(value)).round() as i32
    }

    pub(crate) const fn left(&self) -> i32 {
        self.margins.left
    }

    pub(crate) const fn right(&self) -> i32 {
        SIZE.0.cast_signed() - self.margins.right
    }

    pub(crate) const fn top(&self) -> i32 {
        TOP
    }

    pub(crate) const fn bottom(&self) -> i32 {
        SIZE.1.cast_signed() - BOTTOM
    }

    fn axes(&mut self) -> Result<(), Drawing> {
        let (left, right, top, bottom) = (self.left(), self.right(), self.top(), self.bottom());
        for (value, words) in self.x.ticks.clone() {
            let x = self.at_x(value);
            self.stroke(vec![(x, top), (x, bottom)], Ink::RULE, 2)?;
            self.text((x, bottom + 14 + LINE / 2), &words, Ink::FAINT, Hold::Middle)?;
        }
        for (value, words) in self.y.ticks.clone() {
            let y = self.at_y(value);
            self.stroke(vec![(left, y), (right, y)], Ink::RULE, 2)?;
            self.text((left - 14, y), &words, Ink::FAINT, Hold::Right)?;
        }
        self.stroke(vec![(left, bottom), (right, bottom)], Ink::FAINT, 3)?;
        let names = (self.x.name, self.y.name);
        self.text((right, bottom + 28 + LINE * 3 / 2), names.0, Ink::FAINT, Hold::Right)?;
        self.text((8, top - 40 - LINE), names.1, Ink::FAINT, Hold::Left)
    }

    fn stroke(&self, points: Vec<(i32, i32)>, ink: Ink, width: u32) -> Result<(), Drawing> {
        let style = ShapeStyle { color: ink.stand_in().to_rgba(), filled: false, stroke_width: width };
        self.area.draw(&PathElement::new(points, style))
    }

    /// A line through values.
    pub(crate) fn line(&self, values: &[(f64, f64)], ink: Ink, width: u32) -> Result<(), Drawing> {
        let mut points: Vec<_> = values.iter().map(|&(x, y)| (self.at_x(x), self.at_y(y))).collect();
        points.dedup();
        // plotters draws a path of two points as a line, which the dashes of a transport pass by.
        if let ([first, _], true) = (points.as_slice(), points.len() == 2) {
            points.insert(0, *first);
        }
        if points.len() < 2 { Ok(()) } else { self.stroke(points, ink, width) }
    }

    /// A level or upright line between places on the drawing, solid whatever its ink.
    pub(crate) fn rule(&self, from: (i32, i32), to: (i32, i32), ink: Ink, width: i32) -> Result<(), Drawing> {
        let (across, along) = if from.1 == to.1 { (0, width) } else { (width, 0) };
        let corners = [(from.0 - across / 2, from.1 - along / 2), (to.0 + (across + 1) / 2, to.1 + (along + 1) / 2)];
        self.area.draw(&Rectangle::new(corners, ink.stand_in().filled()))
    }

    /// What lies between two lines: an interval.
    pub(crate) fn band(&self, low: &[(f64, f64)], high: &[(f64, f64)], ink: Ink) -> Result<(), Drawing> {
        let outline = low.iter().chain(high.iter().rev()).map(|&(x, y)| (self.at_x(x), self.at_y(y)));
        self.area.draw(&Polygon::new(outline.collect::<Vec<_>>(), ink.stand_in().mix(0.13)))
    }

    /// A bar from one value to another, around a height in units of the drawing.
    pub(crate) fn bar(&self, from: f64, to: f64, y: i32, half: i32, ink: Ink, strength: f64) -> Result<(), Drawing> {
        let corners = [(self.at_x(from), y - half), (self.at_x(to), y + half)];
        self.area.draw(&Rectangle::new(corners, ink.stand_in().mix(strength).filled()))
    }

    /// Words at a place on the drawing.
    pub(crate) fn text(&self, at: (i32, i32), words: &str, ink: Ink, hold: Hold) -> Result<(), Drawing> {
        let side = match hold {
            Hold::Left => HPos::Left,
            Hold::Middle => HPos::Center,
            Hold::Right => HPos::Right,
        };
        let style: TextStyle<'_> = ("sans-serif", LINE).into_text_style(&self.area);
        let colour = ink.stand_in();
        let style = style.color(&colour).pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(words.to_owned(), at, style))
    }

    /// A measured point with what it says on hover and focus.
    pub(crate) fn point(&mut self, at: (i32, i32), transport: Transport, is_hollow: bool, says: &str) {
        self.shape(at, Ink::of(transport), transport.traits().marker, is_hollow, says);
    }

    /// A measured point in an ink and a shape of its own.
    pub(crate) fn shape(&mut self, at: (i32, i32), ink: Ink, outline: &str, is_hollow: bool, says: &str) {
        let place = format!("translate({},{})", at.0, at.1);
        let class = format!("{}-{}", if is_hollow { "s" } else { "f" }, ink.0);
        self.points.push(html! {
            g.pt.hollow[is_hollow] tabindex="-1" transform=(place) data-say=(says) {
                circle.hit r="26" {}
                path class=(class) d=(outline) {}
                title { (says) }
            }
        });
    }

    /// A measured point among very many: its marker alone.
    pub(crate) fn spot(&mut self, at: (i32, i32), transport: Transport, says: &str) {
        let (place, class) = (format!("translate({},{})", at.0, at.1), format!("pt spot f-{}", Ink::of(transport).0));
        self.points.push(html! {
            path class=(class) tabindex="-1" transform=(place) d=(transport.traits().marker) data-say=(says) {}
        });
    }

    /// A place with what it says on hover and focus, where something else is drawn already.
    pub(crate) fn touch(&mut self, at: (i32, i32), says: &str) {
        let place = format!("translate({},{})", at.0, at.1);
        self.points.push(html! {
            g.pt tabindex="-1" transform=(place) data-say=(says) {
                circle.hit r="20" {}
                title { (says) }
            }
        });
    }

    /// A block between places on the drawing.
    pub(crate) fn block(&self, from: (i32, i32), to: (i32, i32), ink: Ink, strength: f64) -> Result<(), Drawing> {
        self.area.draw(&Rectangle::new([from, to], ink.stand_in().mix(strength).filled()))
    }

    /// The SLO's time across a vertical axis of latency.
    pub(crate) fn slo_across(&self, value: f64, words: &str) -> Result<(), Drawing> {
        let y = self.at_y(value);
        self.rule((self.left(), y), (self.right(), y), Ink::SLO, 4)?;
        self.text((self.left() + 10, y - LINE / 2 - 4), words, Ink::SLO, Hold::Left)
    }

    /// The SLO's time up a horizontal axis of latency.
    pub(crate) fn slo_up(&self, value: f64, words: &str) -> Result<(), Drawing> {
        let x = self.at_x(value);
        self.rule((x, self.top()), (x, self.bottom()), Ink::SLO, 4)?;
        self.text((x.min(self.right()), self.top() - LINE / 2 - 6), words, Ink::SLO, Hold::Right)
    }

    /// Names at the right end of lines, moved apart where they would overlap, each led to its line.
    pub(crate) fn end_labels(&self, ends: &[(f64, f64, Transport)]) -> Result<(), Drawing> {
        let wanted: Vec<i32> = ends.iter().map(|end| self.at_y(end.1)).collect();
        let places = super::labels::apart(&wanted, LINE, self.top(), self.bottom());
        for ((end, from), to) in ends.iter().zip(wanted).zip(places) {
            let (x, ink) = (self.at_x(end.0), Ink::of(end.2));
            let gap = self.right() + 36;
            self.stroke(vec![(x, from), (self.right() + 8, from), (gap - 8, to), (gap, to)], Ink::RULE, 3)?;
            self.text((gap + 6, to), end.2.label(), ink, Hold::Left)?;
        }
        Ok(())
    }

    /// Names of rows, at the left; row 0 is the highest of so many.
    pub(crate) fn row_labels(&self, rows: &[Transport]) -> Result<(), Drawing> {
        for (index, transport) in rows.iter().enumerate() {
            let at = (self.left() - 20, self.row(index, rows.len()));
            self.text(at, transport.label(), Ink::of(*transport), Hold::Right)?;
        }
        Ok(())
    }

    /// The height of a row.
    pub(crate) fn row(&self, index: usize, rows: usize) -> i32 {
        let height = self.bottom() - self.top();
        let (index, rows) = (i32::try_from(index).unwrap_or(0), i32::try_from(rows.max(1)).unwrap_or(1));
        self.top() + height * (2 * index + 1) / (2 * rows)
    }
}
