//! The progress bar on standard error; where that is not a terminal, a line now and then.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::cli::{output, text::grouped};

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(15);

/// Progress over a known number of images.
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
    began: Instant,
    last_line: std::cell::Cell<Instant>,
}

impl Progress {
    /// Shows the bar.
    pub fn start(total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(total),
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        let template = "{bar:32} {pos}/{len} ({percent}%)  {rate}  {left}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(
                style
                    .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ = write!(out, "{:.1} images/s", state.per_sec());
                    })
                    .with_key("left", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ = write!(out, "{} left", indicatif::HumanDuration(state.eta()));
                    }),
            );
        }
        if terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        let now = Instant::now();
        Self { bar, terminal, began: now, last_line: std::cell::Cell::new(now) }
    }

    /// Says how many are done and how many of those were refused.
    pub fn at(&self, done: u64, refused: u64) {
        self.bar.set_position(done);
        if refused > 0 {
            self.bar.set_message(format!("{} refused", grouped(refused)));
        }
        if !self.terminal && self.last_line.get().elapsed() >= EVERY {
            self.last_line.set(Instant::now());
            let rate = done as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
            let total = self.bar.length().unwrap_or(0);
            let left = Duration::from_secs_f64((total.saturating_sub(done)) as f64 / rate.max(1e-3));
            output::note(&format!(
                "{} of {} images, {rate:.1} images/s, {} left, {} refused",
                grouped(done),
                grouped(total),
                indicatif::HumanDuration(Duration::from_secs(left.as_secs())),
                grouped(refused)
            ));
        }
    }

    /// Says something without tearing the bar.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
