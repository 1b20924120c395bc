//! The ground that every chart is drawn on: axes, lines, bands, points and labels, as SVG.
//!
//! Drawn with plotters. Colours become CSS classes, so that one drawing serves paper, night and print. Points lie
//! over the lines as focusable groups with their value. Three units are a CSS pixel where a chart is 420 px wide.

use std::io;
use std::ops::Range;

use maud::{Markup, PreEscaped, html};
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::series::LineSeries;
use plotters::style::colors::TRANSPARENT;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle};
use pushoff_model::Transport;

use super::axis::Axis;
pub(crate) use super::ink::Ink;
use super::ink::classed;
use crate::ReportError;

/// Width and height of the drawing.
pub(crate) const SIZE: (u32, u32) = (1_260, 960);
/// Height of a line of text.
pub(crate) const LINE: i32 = 44;
/// What plotters is told of the font; the page's style has its own. plotters writes a size divided by 1.24.
const FONT: (&str, i32) = ("sans-serif", 31);
const TOP: i32 = 112;
const BOTTOM: i32 = 140;

/// What went wrong while drawing.
pub(crate) type Drawing = DrawingAreaErrorKind<io::Error>;

/// Space around the plot, for labels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margins {
    left: i32,
    right: i32,
}

impl Margins {
    /// Room for ticks on the left and for transports' names on the right.
    pub(crate) const LINES: Self = Self { left: 160, right: 372 };
    /// Room for transports' names on the left and for values on the right.
    pub(crate) const ROWS: Self = Self { left: 345, right: 180 };
}

/// A chart in the making.
pub(crate) struct Canvas<'a> {
    /// The whole drawing, in its units.
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// The plot between the axes, in their values.
    chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>,
    points: Vec<Markup>,
}

/// Draws a chart: its axes, and what `body` puts between them.
///
/// # Errors
/// When plotters cannot draw it.
pub(crate) fn draw(
    x: Axis,
    y: Axis,
    margins: Margins,
    body: impl FnOnce(&mut Canvas<'_>) -> Result<(), Drawing>,
) -> Result<Markup, ReportError> {
    let failed = |error: Drawing| ReportError::Chart(error.to_string());
    let mut svg = String::new();
    let points = {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let chart = ChartBuilder::on(&area)
            .margin_top(TOP)
            .margin_right(margins.right)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(margins.left)
            .build_cartesian_2d(x, y)
            .map_err(failed)?;
        let mut canvas = Canvas { area, chart, points: Vec::new() };
        canvas.axes().and_then(|()| body(&mut canvas)).map_err(failed)?;
        canvas.area.present().map_err(failed)?;
        canvas.points
    };
    Ok(html! {
        (PreEscaped(classed(inner(&svg))))
        @for point in points { (point) }
    })
}

/// The drawing without its outer element, and without what the page's style says.
fn inner(svg: &str) -> String {
    let start = svg.find('>').map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    let plain = [
        (" opacity=\"1\"", ""),
        (" font-family=\"sans-serif\" font-size=\"25\"", ""),
        // The middle of the letters, not of an x.
        ("dy=\"0.5ex\"", "dy=\".35em\""),
        ("\">\n", "\">"),
        ("\n</text>", "</text>"),
    ];
    plain.into_iter().fold(svg.get(start..end).unwrap_or_default().to_owned(), |svg, (from, to)| svg.replace(from, to))
}

impl Canvas<'_> {
    /// Where a value of the horizontal axis lies.
    pub(crate) fn at_x(&self, value: f64) -> i32 {
        self.chart.backend_coord(&(value, 0.0)).0
    }

    /// Where a value of the vertical axis lies.
    pub(crate) fn at_y(&self, value: f64) -> i32 {
        self.chart.backend_coord(&(0.0, value)).1
    }

    /// From the left of the plot to its right.
    fn width(&self) -> Range<i32> {
        self.chart.plotting_area().get_x_axis_pixel_range()
    }

    /// From the top of the plot to its bottom.
    fn height(&self) -> Range<i32> {
        self.chart.plotting_area().get_y_axis_pixel_range()
    }

    pub(crate) fn right(&self) -> i32 {
        self.width().end
    }

    fn axes(&mut self) -> Result<(), Drawing> {
        let (width, bottom) = (self.width(), self.height().end);
        let coordinates = self.chart.as_coord_spec();
        let (x_name, y_name) = (coordinates.x_spec().name, coordinates.y_spec().name);
        self.chart
            .configure_mesh()
            .axis_style(TRANSPARENT)
            .bold_line_style(Ink::RULE.stand_in().stroke_width(2))
            .label_style(FONT.into_text_style(&self.area).color(&Ink::FAINT.stand_in()))
            // Labels stand off by twice the length of the ticks, which are transparent.
            .set_tick_mark_size(LabelAreaPosition::Bottom, 10)
            .set_tick_mark_size(LabelAreaPosition::Left, 7)
            .draw()?;
        self.rule((width.start, bottom), (width.end, bottom), Ink::FAINT, 3)?;
        self.text((width.end, bottom + 28 + LINE * 3 / 2), x_name, Ink::FAINT, HPos::Right)?;
        self.text((8, TOP - 40 - LINE), y_name, Ink::FAINT, HPos::Left)
    }

    /// A line through values, dashed as its ink is.
    pub(crate) fn line(&mut self, values: &[(f64, f64)], ink: Ink, width: u32) -> Result<(), Drawing> {
        let style = ink.stand_in().stroke_width(width);
        self.chart.draw_series(LineSeries::new(values.iter().copied(), style)).map(drop)
    }

    /// A level or upright line between places on the drawing, solid whatever its ink.
    pub(crate) fn rule(&self, from: (i32, i32), to: (i32, i32), ink: Ink, width: i32) -> Result<(), Drawing> {
        let (across, along) = if from.1 == to.1 { (0, width) } else { (width, 0) };
        let corners = [(from.0 - across / 2, from.1 - along / 2), (to.0 + (across + 1) / 2, to.1 + (along + 1) / 2)];
        self.area.draw(&Rectangle::new(corners, ink.stand_in().filled()))
    }

    /// What lies between two lines: an interval.
    pub(crate) fn band(&self, low: &[(f64, f64)], high: &[(f64, f64)], ink: Ink) -> Result<(), Drawing> {
        let outline: Vec<_> = low.iter().chain(high.iter().rev()).copied().collect();
        self.chart.plotting_area().draw(&Polygon::new(outline, ink.stand_in().mix(0.13)))
    }

    /// Words at a place on the drawing, held at their left, middle or right.
    pub(crate) fn text(&self, at: (i32, i32), words: &str, ink: Ink, hold: HPos) -> Result<(), Drawing> {
        let colour = ink.stand_in();
        let style = FONT.into_text_style(&self.area).color(&colour).pos(Pos::new(hold, VPos::Center));
        self.area.draw(&Text::new(words, at, style))
    }

    /// Words above the plot at the right, beside the name of the vertical axis.
    pub(crate) fn remark(&self, words: &str) -> Result<(), Drawing> {
        let right = i32::try_from(SIZE.0).unwrap_or(i32::MAX) - 8;
        self.text((right, TOP - 40 - LINE), words, Ink::FAINT, HPos::Right)
    }

    /// A measured point with what it says on hover and focus.
    pub(crate) fn point(&mut self, at: (i32, i32), transport: Transport, is_hollow: bool, says: &str) {
        let class = format!("{}-{}", if is_hollow { "s" } else { "f" }, Ink::of(transport).0);
        self.points.push(html! {
            g.pt.hollow[is_hollow] tabindex="-1" transform=(format!("translate({},{})", at.0, at.1)) data-say=(says) {
                circle.hit r="26" {}
                path class=(class) d=(transport.traits().marker) {}
                title { (says) }
            }
        });
    }

    /// The SLO's time across a vertical axis of latency.
    pub(crate) fn slo_across(&self, value: f64, words: &str) -> Result<(), Drawing> {
        let (width, y) = (self.width(), self.at_y(value));
        self.rule((width.start, y), (width.end, y), Ink::SLO, 4)?;
        self.text((width.start + 10, y - LINE / 2 - 4), words, Ink::SLO, HPos::Left)
    }

    /// Names at the right end of lines, moved apart where they would overlap, each led to its line.
    pub(crate) fn end_labels(&self, ends: &[(f64, f64, Transport)]) -> Result<(), Drawing> {
        let (edge, height) = (self.right(), self.height());
        let wanted: Vec<i32> = ends.iter().map(|end| self.at_y(end.1)).collect();
        let places = super::labels::apart(&wanted, LINE, height.start, height.end);
        for ((end, from), to) in ends.iter().zip(wanted).zip(places) {
            let lead = vec![(self.at_x(end.0), from), (edge + 8, from), (edge + 28, to)];
            self.area.draw(&PathElement::new(lead, Ink::RULE.stand_in().stroke_width(3)))?;
            self.text((edge + 36, to), end.2.label(), Ink::of(end.2), HPos::Left)?;
        }
        Ok(())
    }

    /// Names of rows, at the left; row 0 is the highest of so many.
    pub(crate) fn row_labels(&self, rows: &[Transport]) -> Result<(), Drawing> {
        for (index, transport) in rows.iter().enumerate() {
            let at = (self.width().start - 20, self.row(index, rows.len()));
            self.text(at, transport.label(), Ink::of(*transport), HPos::Right)?;
        }
        Ok(())
    }

    /// The height of a row.
    pub(crate) fn row(&self, index: usize, rows: usize) -> i32 {
        let (index, rows) = (i32::try_from(index).unwrap_or(0), i32::try_from(rows.max(1)).unwrap_or(1));
        let height = self.height();
        height.start + (height.end - height.start) * (2 * index + 1) / (2 * rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::number::Quantity;

    fn sketch(body: impl FnOnce(&mut Canvas<'_>) -> Result<(), Drawing>) -> String {
        let axis = |name| Axis::even(name, 10.0, Quantity::Count);
        draw(axis("across"), axis("up"), Margins::LINES, body).unwrap().0
    }

    /// The page's style dashes a transport's polylines and nothing else.
    #[test]
    fn a_line_of_two_points_is_dashed_and_a_rule_is_not() {
        let ink = Ink::of(Transport::Sse);
        let line = sketch(|canvas| canvas.line(&[(1.0, 1.0), (2.0, 2.0)], ink, 6));
        assert!(line.lines().any(|it| it.starts_with("<polyline") && it.contains("class=\"s-sse\"")), "{line}");
        let rule = sketch(|canvas| canvas.rule((200, 300), (400, 300), ink, 6));
        assert!(rule.contains("class=\"f-sse\"") && !rule.contains("<polyline"), "{rule}");
    }

    #[test]
    fn an_axis_has_its_name_and_its_ticks_and_no_words_break_out() {
        let drawing = sketch(|canvas| canvas.text((500, 500), "<b>", Ink::INK, HPos::Left));
        for words in ["across", "up", "0", "5", "10", "&lt;b&gt;"] {
            assert!(drawing.contains(&format!(">{words}</text>")), "{words} in {drawing}");
        }
        assert!(!drawing.contains("font-") && !drawing.contains("0.5ex"), "the page's style has these: {drawing}");
    }

    #[test]
    fn what_lies_beyond_an_axis_is_drawn_at_its_end() {
        sketch(|canvas| {
            assert_eq!((canvas.at_x(-5.0), canvas.at_x(99.0)), (160, canvas.right()));
            assert_eq!((canvas.at_y(99.0), canvas.at_y(-5.0)), (canvas.height().start, canvas.height().end));
            Ok(())
        });
    }
}
