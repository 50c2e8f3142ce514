//! Plots as SVG, drawn by the plotters library, coloured by the page's style sheet.
//!
//! A plot is drawn in colours that stand for roles; afterwards these are replaced by the style sheet's variables, so
//! that one drawing is readable on paper, on white and on black.

use plotters::prelude::*;

/// Width and height of a drawing, in units that the page scales.
const SIZE: (u32, u32) = (620, 400);

/// What a colour stands for: the colour that is drawn, and what replaces it.
const ROLES: [(RGBColor, &str); 8] = [
    (RGBColor(1, 0, 1), "var(--ink)"),
    (RGBColor(1, 0, 2), "var(--grid)"),
    (RGBColor(1, 1, 1), "var(--series-1)"),
    (RGBColor(1, 1, 2), "var(--series-2)"),
    (RGBColor(1, 1, 3), "var(--series-3)"),
    (RGBColor(1, 1, 4), "var(--series-4)"),
    (RGBColor(1, 1, 5), "var(--series-5)"),
    (RGBColor(1, 1, 6), "var(--series-6)"),
];
const INK: RGBColor = ROLES[0].0;
const GRID: RGBColor = ROLES[1].0;

/// How many series have a colour of their own.
pub const COLOURS: usize = 6;

/// Dash and gap of each series in pixels, so that lines can be told apart without colour; no dash is a whole line.
const DASHES: [(u32, u32); COLOURS] = [(0, 0), (9, 5), (3, 3), (16, 5), (6, 2), (2, 6)];

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Name and unit.
    pub label: String,
    /// Powers of ten.
    pub logarithmic: bool,
    /// From, to.
    pub range: (f64, f64),
}

/// One line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// In the order in which they are joined.
    pub points: Vec<(f64, f64)>,
    /// Filled down to the axis, as a histogram is.
    pub filled: bool,
}

/// A drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Horizontal.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// At most [`COLOURS`].
    pub series: Vec<Series>,
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn linear(label: &str, low: f64, high: f64) -> Self {
        // A range that numbers of this size cannot divide has no labels to put on it.
        let least = 1e-9_f64.max(low.abs().max(high.abs()) * 1e-9);
        let high = if high - low > least { high } else { low + 1.0 };
        Self { label: label.to_owned(), logarithmic: false, range: (low, high) }
    }

    /// An axis of whole powers of ten around the positive ones of these values, up to 1. From 0.1 when there are none.
    #[must_use]
    pub fn rates(label: &str, values: impl Iterator<Item = f64>) -> Self {
        let least = values.filter(|value| *value > 0.0).fold(0.5, f64::min);
        Self { label: label.to_owned(), logarithmic: true, range: (least.log10().floor(), 0.0) }
    }

    /// The place on the axis; `None` for what a logarithmic axis has no place for.
    fn place(&self, value: f64) -> Option<f64> {
        match self.logarithmic {
            true if value > 0.0 => Some(value.log10()),
            true => None,
            false => Some(value),
        }
    }

    fn labels(&self) -> usize {
        if self.logarithmic { ((self.range.1 - self.range.0) as usize + 1).max(2) } else { 8 }
    }

    fn shown(&self, place: f64) -> String {
        if !self.logarithmic {
            // As many digits as tell neighbouring labels apart.
            let digits = (2.0 - (self.range.1 - self.range.0).log10().floor()).clamp(0.0, 12.0) as usize;
            return trimmed(format!("{place:.digits$}"));
        }
        // Whole powers only: a label between them would be read as another scale.
        if (place - place.round()).abs() > 1e-9 {
            return String::new();
        }
        match place.round() as i32 {
            0 => "1".to_owned(),
            -1 => "0.1".to_owned(),
            -2 => "0.01".to_owned(),
            -3 => "0.001".to_owned(),
            power => format!("1e{power}"),
        }
    }
}

impl Plot {
    /// True when no series has a point with a place on both axes.
    #[must_use]
    pub fn empty(&self) -> bool {
        let shown = |&(x, y): &(f64, f64)| self.x.place(x).is_some() && self.y.place(y).is_some();
        !self.series.iter().any(|series| series.points.iter().any(shown))
    }
}

/// The plot as an SVG element.
///
/// # Errors
/// When the library cannot draw it.
pub fn svg(plot: &Plot) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let failed = |error| anyhow::anyhow!("a plot cannot be drawn: {error}");
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(46)
            .y_label_area_size(64)
            .build_cartesian_2d(plot.x.range.0..plot.x.range.1, plot.y.range.0..plot.y.range.1)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 15, &INK))
            .axis_desc_style(("sans-serif", 16, &INK))
            .x_desc(&plot.x.label)
            .y_desc(&plot.y.label)
            .x_labels(plot.x.labels())
            .y_labels(plot.y.labels())
            .x_label_formatter(&|place| plot.x.shown(*place))
            .y_label_formatter(&|place| plot.y.shown(*place))
            .draw()
            .map_err(failed)?;
        for (number, series) in plot.series.iter().enumerate() {
            let colour = ROLES[2 + number % COLOURS].0;
            let places: Vec<(f64, f64)> = series
                .points
                .iter()
                .filter_map(|&(x, y)| Some((plot.x.place(x)?, plot.y.place(y)?)))
                .collect();
            if series.filled {
                let base = plot.y.range.0;
                let area = AreaSeries::new(places.iter().copied(), base, colour.mix(0.25));
                chart.draw_series(area.border_style(colour.stroke_width(2))).map_err(failed)?;
            } else if places.len() == 1 {
                chart
                    .draw_series(places.iter().map(|&at| Circle::new(at, 4, colour.filled())))
                    .map_err(failed)?;
            } else {
                match DASHES[number % COLOURS] {
                    (0, _) => chart.draw_series(LineSeries::new(places, colour.stroke_width(2))),
                    (dash, gap) => {
                        chart.draw_series(DashedLineSeries::new(places, dash, gap, colour.stroke_width(2)))
                    }
                }
                .map_err(failed)?;
            }
        }
        area.present().map_err(failed)?;
    }
    Ok(styled(&text))
}

/// One group of a demographic plot: a rate and its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The group, with its counts.
    pub label: String,
    /// Rate, lower and upper bound.
    pub rate: (f64, f64, f64),
}

/// Rates of groups with their intervals, one below the other.
///
/// # Errors
/// When the library cannot draw it.
pub fn intervals(axis: &str, bars: &[Bar]) -> anyhow::Result<String> {
    let mut text = String::new();
    let height = 60 + 26 * bars.len() as u32;
    let most = bars.iter().map(|bar| bar.rate.2).fold(1e-6, f64::max) * 1.05;
    {
        let area = SVGBackend::with_string(&mut text, (SIZE.0, height)).into_drawing_area();
        let failed = |error| anyhow::anyhow!("a plot cannot be drawn: {error}");
        let count = bars.len() as f64;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(44)
            .y_label_area_size(230)
            .build_cartesian_2d(0.0..most, -count..0.0)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 15, &INK))
            .axis_desc_style(("sans-serif", 16, &INK))
            .x_desc(axis)
            .x_labels(6)
            .disable_y_mesh()
            .y_labels(0)
            .x_label_formatter(&|place| trimmed(format!("{place:.5}")))
            .draw()
            .map_err(failed)?;
        for (number, bar) in bars.iter().enumerate() {
            let y = -(number as f64) - 0.5;
            let (rate, low, high) = bar.rate;
            let line = PathElement::new(vec![(low, y), (high, y)], ROLES[2].0.stroke_width(3));
            chart.draw_series([line]).map_err(failed)?;
            chart.draw_series([Circle::new((rate, y), 5, ROLES[2].0.filled())]).map_err(failed)?;
            let at = 8 + ((number as f64 + 0.5) / count * f64::from(height - 16 - 44)) as i32 - 6;
            area.draw(&Text::new(bar.label.clone(), (6, at), ("sans-serif", 15).into_font().color(&INK)))
                .map_err(failed)?;
        }
        area.present().map_err(failed)?;
    }
    Ok(styled(&text))
}

/// Without zeros that say nothing.
fn trimmed(number: String) -> String {
    if !number.contains('.') {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Roles instead of colours, and the size left to the page.
fn styled(svg: &str) -> String {
    let mut text = svg.to_owned();
    for (colour, role) in ROLES {
        let RGBColor(r, g, b) = colour;
        text = text.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{role}\""));
    }
    let plain = text.find("<svg ").map_or(text.as_str(), |at| &text[at..]);
    let (width, rest) = plain.split_once("width=\"").unwrap_or((plain, ""));
    // `width` and `height` come first and in this order; the view box that follows carries the proportions.
    match rest.split_once("viewBox") {
        Some((_, rest)) => format!("{width}role=\"img\" viewBox{rest}"),
        None => plain.to_owned(),
    }
}
