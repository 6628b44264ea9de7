//! Charts for the report.

use plotters::prelude::*;

/// The figures of one server.
pub struct Line {
    pub name: &'static str,
    pub is_ours: bool,
    pub points: Vec<(f64, f64)>,
}

const OURS: RGBColor = RGBColor(0xd0, 0x3b, 0x1f);

/// Colours for the other servers; red against green is not used.
const OTHERS: [RGBColor; 7] = [
    RGBColor(0x33, 0x66, 0xaa),
    RGBColor(0x22, 0x88, 0x88),
    RGBColor(0x88, 0x55, 0xaa),
    RGBColor(0x99, 0x77, 0x22),
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0xaa, 0x55, 0x77),
    RGBColor(0xaa, 0xaa, 0xaa),
];

/// One chart: a figure of every server over the number of members.
pub struct Panel {
    pub title: &'static str,
    pub lines: Vec<Line>,
}

/// Draws the panels, two in a row, as one SVG image.
pub fn picture(panels: &[Panel]) -> String {
    let mut svg = String::new();
    match draw_all(&mut svg, panels) {
        Ok(()) => svg,
        Err(error) => format!("<p>not drawn: {error}</p>"),
    }
}

type Failure = Box<dyn std::error::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_all(svg: &mut String, panels: &[Panel]) -> Result<(), Failure> {
    let columns = panels.len().clamp(1, 2);
    let rows = panels.len().div_ceil(columns);
    let size = (900 * columns as u32, 420 * rows as u32);
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&WHITE).map_err(text)?;
    for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
        draw(area, panel)?;
    }
    root.present().map_err(text)?;
    Ok(())
}

/// Draws one line for each server; both axes are logarithmic.
fn draw(area: &Area, Panel { title, lines }: &Panel) -> Result<(), Failure> {
    let points = || lines.iter().flat_map(|line| known(&line.points));
    let low = points().map(|(_, y)| y).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, y)| y).fold(0.0, f64::max);
    let (left, right) =
        points().fold((f64::INFINITY, 0.0_f64), |(l, r), (x, _)| (l.min(x), r.max(x)));
    if high <= low || right <= left {
        return Err("nothing to draw".into());
    }
    let right = right * 8.0; // room for the names after the last points
    let mut chart = ChartBuilder::on(area)
        .caption(*title, ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d((left..right).log_scale(), (low / 1.5..high * 1.5).log_scale())
        .map_err(text)?;
    chart
        .configure_mesh()
        .x_desc("members")
        .y_label_formatter(&|y| crate::report::number(*y))
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(text)?;
    let mut colours = OTHERS.iter().cycle();
    for line in lines {
        let (colour, width) =
            if line.is_ours { (&OURS, 4) } else { (colours.next().unwrap_or(&OURS), 2) };
        let style = colour.stroke_width(width);
        let drawn = known(&line.points).collect::<Vec<_>>();
        chart
            .draw_series(LineSeries::new(drawn.clone(), style).point_size(width + 1))
            .map_err(text)?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart
            .draw_series(drawn.into_iter().map(|at| Circle::new(at, width + 1, colour.filled())))
            .map_err(text)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(text)?;
    Ok(())
}

fn known(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().copied().filter(|(_, y)| y.is_finite() && 0.0 < *y)
}

fn text(error: impl std::fmt::Display) -> Failure {
    error.to_string().into()
}
