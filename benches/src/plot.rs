//! Plots as SVG files, each in two colourings: for pages with a light and with a dark ground.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width of every plot, in pixels.
const WIDTH: u32 = 880;

/// Font of all text.
const FONT: &str = "Helvetica, Arial, sans-serif";

/// Colours of one ground.
#[derive(Clone, Copy)]
struct Ground {
    name: &'static str,
    text: RGBColor,
    faint: RGBColor,
    series: [RGBColor; 8],
}

/// Chosen to be told apart by people who see red and green alike (Okabe and Ito, *Color Universal Design*), darkened for
/// white and lightened for black.
const GROUNDS: [Ground; 2] = [
    Ground {
        name: "light",
        text: RGBColor(36, 41, 47),
        faint: RGBColor(208, 215, 222),
        series: [
            RGBColor(0, 90, 160),
            RGBColor(110, 118, 129),
            RGBColor(200, 80, 0),
            RGBColor(0, 135, 100),
            RGBColor(180, 80, 140),
            RGBColor(170, 120, 0),
            RGBColor(60, 150, 200),
            RGBColor(120, 60, 30),
        ],
    },
    Ground {
        name: "dark",
        text: RGBColor(220, 226, 232),
        faint: RGBColor(62, 70, 79),
        series: [
            RGBColor(90, 175, 245),
            RGBColor(150, 158, 168),
            RGBColor(245, 140, 60),
            RGBColor(60, 200, 160),
            RGBColor(225, 140, 190),
            RGBColor(240, 205, 80),
            RGBColor(150, 215, 245),
            RGBColor(205, 160, 130),
        ],
    },
];

/// Bars of one panel, from top to bottom: what, how long, and which colour.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) bars: Vec<(String, f64, usize)>,
}

/// A line: its name, its points, and which colour.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) colour: usize,
}

/// Axes of a plot of lines.
pub(crate) struct Axes<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    /// Whether each step along x is ten times the last.
    pub(crate) log_x: bool,
}

/// The Markdown that shows a plot, in the colouring of the page; `folder` as seen from the page.
pub(crate) fn shown(folder: &str, name: &str, alternative: &str) -> String {
    format!(
        "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"{folder}/{name}-dark.svg\">\
         <img alt=\"{alternative}\" src=\"{folder}/{name}-light.svg\"></picture>\n"
    )
}

/// Draws panels of bars below each other, each on a scale of its own that begins at 0.
pub(crate) fn bars(folder: &Path, name: &str, unit: &str, panels: &[Panel]) -> anyhow::Result<()> {
    let height = panels.iter().map(panel_height).sum::<u32>() + 8;
    on_each_ground(folder, name, height, |area, ground| {
        let mut top = 4;
        for panel in panels {
            draw_panel(area, ground, unit, panel, top)?;
            top += i32::try_from(panel_height(panel))?;
        }
        Ok(())
    })
}

const BAR: u32 = 22;

fn panel_height(panel: &Panel) -> u32 {
    34 + BAR * panel.bars.len() as u32 + 8
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    ground: Ground,
    unit: &str,
    panel: &Panel,
    top: i32,
) -> anyhow::Result<()> {
    let most = panel.bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let (left, right) = (250, WIDTH as i32 - 110);
    put(area, &panel.title, (8, top + 20), HPos::Left, 15, ground.text)?;
    for (at, (label, value, colour)) in (0_i32..).zip(&panel.bars) {
        let middle = top + 34 + at * BAR as i32 + BAR as i32 / 2;
        let length = (value / most.max(f64::MIN_POSITIVE) * f64::from(right - left)).max(1.0) as i32;
        put(area, label, (left - 8, middle), HPos::Right, 13, ground.text)?;
        let corners = [(left, middle - 8), (left + length, middle + 8)];
        let style = ground.series[colour % ground.series.len()].filled();
        area.draw(&Rectangle::new(corners, style)).map_err(said)?;
        put(
            area,
            &format!("{} {unit}", short(*value)),
            (left + length + 6, middle),
            HPos::Left,
            13,
            ground.text,
        )?;
    }
    Ok(())
}

/// Three digits, as a reader wants them.
pub(crate) fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// Draws lines through points, with a legend below.
pub(crate) fn lines(folder: &Path, name: &str, axes: &Axes<'_>, lines: &[Line]) -> anyhow::Result<()> {
    let points = || lines.iter().flat_map(|line| &line.points).copied();
    let least = |of: fn((f64, f64)) -> f64| points().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn((f64, f64)) -> f64| points().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (x, y) = ((least(|at| at.0), most(|at| at.0)), (least(|at| at.1), most(|at| at.1)));
    anyhow::ensure!(x.0.is_finite(), "`{name}` has no points");
    let y = if y.0 < y.1 / 2.0 {
        (0.0, y.1 * 1.05)
    } else {
        (y.0 - 0.05 * (y.1 - y.0).max(0.01), y.1 + 0.02 * y.1)
    };
    let legend = 22 * lines.len() as u32 + 8;
    let place = |value: f64| if axes.log_x { value.log10() } else { value };
    let range = (place(x.0), place(x.1));
    let margin = 0.03 * (range.1 - range.0).max(0.1);
    on_each_ground(folder, name, 380 + legend, |area, ground| {
        let (plot, below) = area.split_vertically(380);
        let style = |size: u32| (FONT, size).into_font().color(&ground.text);
        let mut chart = ChartBuilder::on(&plot)
            .caption(axes.title, style(15))
            .margin(10)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(range.0 - margin..range.1 + margin, y.0..y.1)
            .map_err(said)?;
        chart
            .configure_mesh()
            .x_desc(axes.x)
            .y_desc(axes.y)
            .axis_style(ground.faint)
            .bold_line_style(ground.faint)
            .light_line_style(TRANSPARENT)
            .label_style(style(13))
            .axis_desc_style(style(13))
            .x_label_formatter(&|at| short(if axes.log_x { 10_f64.powf(*at) } else { *at }))
            .y_label_formatter(&|at| short(*at))
            .draw()
            .map_err(said)?;
        for (at, line) in (0_i32..).zip(lines) {
            let colour = ground.series[line.colour % ground.series.len()];
            let points: Vec<(f64, f64)> = line.points.iter().map(|&(x, y)| (place(x), y)).collect();
            chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2))).map_err(said)?;
            chart
                .draw_series(points.iter().map(|&point| Circle::new(point, 4, colour.filled())))
                .map_err(said)?;
            let middle = 22 * at + 11;
            below
                .draw(&Rectangle::new([(74, middle - 6), (98, middle + 6)], colour.filled()))
                .map_err(said)?;
            put(&below, &line.name, (106, middle), HPos::Left, 13, ground.text)?;
        }
        Ok(())
    })
}

fn put(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    text: &str,
    at: (i32, i32),
    side: HPos,
    size: u32,
    colour: RGBColor,
) -> anyhow::Result<()> {
    let style = (FONT, size).into_font().color(&colour).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(said)
}

fn on_each_ground(
    folder: &Path,
    name: &str,
    height: u32,
    draw: impl Fn(&DrawingArea<SVGBackend<'_>, Shift>, Ground) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for ground in GROUNDS {
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
            draw(&area, ground)?;
            area.present().map_err(said)?;
        }
        let path = folder.join(format!("{name}-{}.svg", ground.name));
        std::fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

fn said(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_hold_what_they_show_on_both_grounds() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let panel = Panel { title: "sizes".to_owned(), bars: vec![("one & two".to_owned(), 12.34, 0)] };
        bars(folder.path(), "bars", "ms", &[panel])?;
        let line = Line { name: "certified".to_owned(), points: vec![(1.0, 0.5), (100.0, 1.0)], colour: 2 };
        let axes = Axes { title: "t", x: "x", y: "y", log_x: true };
        lines(folder.path(), "lines", &axes, &[line])?;
        for ground in ["light", "dark"] {
            let text =
                |name: &str| std::fs::read_to_string(folder.path().join(format!("{name}-{ground}.svg")));
            assert!(text("bars")?.contains("12.3 ms") && text("bars")?.contains("one &amp; two"));
            assert!(text("lines")?.contains("certified"));
        }
        assert!(lines(folder.path(), "none", &axes, &[]).is_err());
        Ok(())
    }
}
