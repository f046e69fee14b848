//! The table of goals and figures: on the terminal, as JSON, and in `docs/performance.md`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::program;

/// How a figure stands to its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Better than asked for.
    Stretch,
    /// As asked for.
    Met,
    /// Worse than asked for.
    Missed,
    /// There is no goal; the figure explains another.
    Told,
}

impl Verdict {
    /// Judges a figure of which less is better.
    #[must_use]
    pub fn at_most(figure: f64, goal: f64, stretch: f64) -> Self {
        if figure <= stretch {
            Self::Stretch
        } else if figure <= goal {
            Self::Met
        } else {
            Self::Missed
        }
    }

    /// Judges a figure of which more is better.
    #[must_use]
    pub fn at_least(figure: f64, goal: f64, stretch: f64) -> Self {
        Self::at_most(-figure, -goal, -stretch)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Stretch => "stretch",
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::Told => "-",
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Row {
    /// The goal's id, `G1` to `G16`, or empty.
    pub id: &'static str,
    /// What was measured.
    pub metric: String,
    /// What was asked for.
    pub goal: String,
    /// What would please.
    pub stretch: String,
    /// The figure.
    pub measured: String,
    /// What the least page or server takes in the same run.
    pub floor: String,
    /// The figure against the goal.
    pub verdict: Verdict,
}

impl Row {
    /// A figure without a goal.
    #[must_use]
    pub fn told(
        id: &'static str,
        metric: impl Into<String>,
        measured: impl Into<String>,
        floor: impl Into<String>,
    ) -> Self {
        Self {
            id,
            metric: metric.into(),
            goal: "-".into(),
            stretch: "-".into(),
            measured: measured.into(),
            floor: floor.into(),
            verdict: Verdict::Told,
        }
    }
}

/// All lines of one command.
pub struct Table {
    /// `bench` or `load`: names the file and the place in the document.
    pub name: &'static str,
    /// What `floor` is in this table.
    pub floor: &'static str,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub const fn new(name: &'static str, floor: &'static str) -> Self {
        Self {
            name,
            floor,
            rows: Vec::new(),
        }
    }

    /// Adds a line and shows it at once: a long run is watched.
    pub fn push(&mut self, row: Row) {
        println!(
            "  {:<4} {}: {} (goal {}, {} {}) {}",
            row.id,
            row.metric,
            row.measured,
            row.goal,
            self.floor,
            row.floor,
            row.verdict.word()
        );
        self.rows.push(row);
    }

    /// Shows the whole table, keeps it as JSON, and puts it into the document if asked.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(&self, in_document: bool) -> Result<()> {
        println!("\n{}", self.markdown());
        let missed = self
            .rows
            .iter()
            .filter(|row| row.verdict == Verdict::Missed)
            .count();
        println!("{} figures, {missed} goals missed", self.rows.len());
        let file = results()?.join(format!("{}.json", self.name));
        fs::write(&file, format!("{:#}\n", self.json()))
            .with_context(|| format!("writing {}", file.display()))?;
        println!("kept as {}", file.display());
        if in_document {
            self.write_into_document()?;
        }
        Ok(())
    }

    fn cells(&self) -> Vec<[String; 7]> {
        let mut cells = vec![
            [
                "id", "metric", "goal", "stretch", "measured", self.floor, "verdict",
            ]
            .map(str::to_owned),
        ];
        cells.extend(self.rows.iter().map(|row| {
            [
                row.id.to_owned(),
                row.metric.clone(),
                row.goal.clone(),
                row.stretch.clone(),
                row.measured.clone(),
                row.floor.clone(),
                row.verdict.word().to_owned(),
            ]
        }));
        cells
    }

    fn markdown(&self) -> String {
        let cells = self.cells();
        let width = |column: usize| {
            cells
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..7).map(width).collect();
        let line = |row: &[String; 7]| {
            let padded = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!(" {cell:<width$} "));
            format!("|{}|\n", padded.collect::<Vec<_>>().join("|"))
        };
        let rule: String = widths
            .iter()
            .map(|width| format!("{}|", "-".repeat(width + 2)))
            .collect();
        let body: String = cells[1..].iter().map(line).collect();
        format!("{}|{rule}\n{body}", line(&cells[0]))
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "id": row.id,
                    "metric": row.metric,
                    "goal": row.goal,
                    "stretch": row.stretch,
                    "measured": row.measured,
                    "floor": row.floor,
                    "verdict": row.verdict.word(),
                })
            })
            .collect();
        json!({ "name": self.name, "floor": self.floor, "rows": rows })
    }

    /// Replaces what stands between this table's marks in the document.
    fn write_into_document(&self) -> Result<()> {
        let file = program::root().join("docs/performance.md");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let (begin, end) = (
            format!("<!-- {}: begin -->\n", self.name),
            format!("<!-- {}: end -->", self.name),
        );
        let (head, rest) = text
            .split_once(&begin)
            .context("docs/performance.md lost a mark")?;
        let (_, tail) = rest.split_once(&end).context("docs/performance.md lost a mark")?;
        fs::write(&file, format!("{head}{begin}{}{end}{tail}", self.markdown()))?;
        println!("written into {}", file.display());
        Ok(())
    }
}

/// The folder for results; never committed.
///
/// # Errors
/// If it cannot be made.
pub fn results() -> Result<PathBuf> {
    let folder = program::root().join("test-results/bench");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn verdicts_follow_the_figure() {
        assert_eq!(Verdict::at_most(99.0, 150.0, 100.0), Verdict::Stretch);
        assert_eq!(Verdict::at_most(150.0, 150.0, 100.0), Verdict::Met);
        assert_eq!(Verdict::at_most(151.0, 150.0, 100.0), Verdict::Missed);
        assert_eq!(Verdict::at_least(1.4, 1.5, 1.9), Verdict::Missed);
        assert_eq!(Verdict::at_least(2.0, 1.5, 1.9), Verdict::Stretch);
    }
}
