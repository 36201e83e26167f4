//! Regret over time as an SVG picture: a panel for each data set.
//!
//! Written by hand, since it is three shapes on two axes.

use nas_core::bench::{Quantiles, Study, Unit};

/// Size of a panel, in pixels.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 320.0;
/// Room for labels left of and below the axes, and on the other sides.
const LEFT: f64 = 56.0;
const BELOW: f64 = 44.0;
const ROOM: f64 = 34.0;
/// Marks on an axis.
const MARKS: usize = 5;
const COLOUR: &str = "#2c6fbb";

/// What is drawn in a panel.
pub(crate) struct Panel<'a> {
    /// Its heading.
    pub(crate) title: String,
    /// What is drawn.
    pub(crate) study: &'a Study,
}

/// The picture: median, quartiles and tenths of the regret, in points, and its mean dashed.
pub(crate) fn picture(title: &str, panels: &[Panel<'_>]) -> String {
    let width = WIDTH * panels.len() as f64;
    let height = HEIGHT + ROOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\">{}</text>\n",
        escaped(title)
    );
    for (index, panel) in panels.iter().enumerate() {
        svg.push_str(&format!("<g transform=\"translate({}, {ROOM})\">\n", index as f64 * WIDTH));
        draw(panel, &mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(panel: &Panel<'_>, svg: &mut String) {
    let study = panel.study;
    let points: Vec<(f64, Quantiles)> = (0..study.grid.len())
        .filter_map(|point| Some((study.grid[point], study.regret(point)?)))
        .map(|(time, regret)| (time, in_points(regret)))
        .collect();
    let end = study.grid.last().copied().filter(|end| *end > 0.0).unwrap_or(1.0);
    // The first few networks are bad by chance; the axis begins to count after them.
    let counted = points.iter().find(|(time, _)| *time >= 0.05 * end).or(points.last());
    let top = counted.map_or(1.0, |(_, regret)| nice(regret.nine_tenths.max(0.1)));
    let x = |time: f64| LEFT + time / end * (WIDTH - LEFT - ROOM);
    let y = |regret: f64| HEIGHT - BELOW - regret.min(top) / top * (HEIGHT - BELOW - ROOM);
    let middle = (LEFT + WIDTH - ROOM) / 2.0;
    text(svg, middle, 18.0, "middle", &panel.title);
    for mark in 0..=MARKS {
        let share = mark as f64 / MARKS as f64;
        let (across, up) = (x(share * end), y(share * top));
        svg.push_str(&format!(
            "<path d=\"M{LEFT:.1} {up:.1}H{:.1}M{across:.1} {:.1}V{:.1}\" stroke=\"#dddddd\"/>\n",
            WIDTH - ROOM,
            y(top),
            y(0.0)
        ));
        text(svg, LEFT - 6.0, up + 4.0, "end", &format!("{:.2}", share * top));
        text(svg, across, y(0.0) + 16.0, "middle", &short(share * end));
    }
    let unit = match study.unit {
        Unit::Seconds => "simulated seconds",
        Unit::Evaluations => "evaluations",
    };
    text(svg, middle, HEIGHT - 8.0, "middle", unit);
    svg.push_str(&format!(
        "<text transform=\"translate(12, {:.1}) rotate(-90)\" text-anchor=\"middle\">regret of \
         test, points</text>\n",
        HEIGHT / 2.0
    ));
    let place = |time: f64, regret: f64| format!("{:.1} {:.1}", x(time), y(regret));
    let path = |of: fn(&Quantiles) -> f64| {
        points.iter().map(|(time, regret)| place(*time, of(regret))).collect::<Vec<_>>()
    };
    let mut band = |low: fn(&Quantiles) -> f64, high: fn(&Quantiles) -> f64, opacity: f64| {
        let back: Vec<String> = path(high).into_iter().rev().collect();
        let outline = [path(low), back].concat().join("L");
        svg.push_str(&format!(
            "<path d=\"M{outline}Z\" fill=\"{COLOUR}\" fill-opacity=\"{opacity}\"/>\n"
        ));
    };
    if points.is_empty() {
        return;
    }
    band(|r| r.tenth, |r| r.nine_tenths, 0.15);
    band(|r| r.quarter, |r| r.three_quarters, 0.25);
    let line = |of: fn(&Quantiles) -> f64, style: &str| {
        format!("<path d=\"M{}\" fill=\"none\" stroke=\"{COLOUR}\" {style}/>\n", path(of).join("L"))
    };
    svg.push_str(&line(|r| r.median, "stroke-width=\"2\""));
    svg.push_str(&line(|r| r.mean, "stroke-dasharray=\"5 4\""));
}

fn in_points(regret: Quantiles) -> Quantiles {
    let Quantiles { mean, tenth, quarter, median, three_quarters, nine_tenths } = regret;
    let [mean, tenth, quarter, median, three_quarters, nine_tenths] =
        [mean, tenth, quarter, median, three_quarters, nine_tenths].map(|value| 100.0 * value);
    Quantiles { mean, tenth, quarter, median, three_quarters, nine_tenths }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    svg.push_str(&format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n"
    ));
}

/// The next of 1, 2, 5, 10, … times a power of ten.
fn nice(number: f64) -> f64 {
    let power = 10_f64.powf(number.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= number).unwrap_or(number)
}

fn short(number: f64) -> String {
    if number >= 1000.0 { format!("{:.0}k", number / 1000.0) } else { format!("{number:.0}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.3, 1.0, 1.1, 4.0, 7.0].map(nice), [0.5, 1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn texts_can_not_break_the_picture() {
        assert_eq!(escaped("a<b & c"), "a&lt;b &amp; c");
    }
}
