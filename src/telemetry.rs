//! What the operator sees of a running service: logs on stderr, figures for Prometheus. Must never carry a buyer's
//! words, a phone, a number of a parcel or a secret: labels and log fields are names and counts.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;
use tracing_subscriber::{EnvFilter, fmt};

/// Seconds: from a matched message (µs) to the slowest carrier.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0];

/// Starts logging to stderr: one JSON object a line, or compact lines for human eyes. `filter` is an `EnvFilter`
/// list; the variable `YISHI_LOG` wins over it. The second call in one process changes nothing.
pub fn install(json: bool, filter: &str) {
    let wanted = std::env::var("YISHI_LOG").unwrap_or_else(|_| filter.to_owned());
    let filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if json {
        // The span's fields carry the id of the trip to every line in it.
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        lines.compact().with_target(false).try_init()
    };
    drop(installed);
}

/// The figures of this process.
#[derive(Clone)]
pub struct Figures(PrometheusHandle);

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures")
    }
}

impl Figures {
    /// Starts counting for the whole process.
    ///
    /// # Errors
    /// Where another recorder is installed already.
    pub fn install() -> Result<Self, BuildError> {
        Ok(Self(builder()?.install_recorder()?))
    }

    /// Prometheus text, for `/metrics`.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Empties the histograms' buffers every 5 s for as long as this runs: without it they grow for ever.
    pub async fn upkeep(self) {
        let mut beat = tokio::time::interval(Duration::from_secs(5));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            self.0.run_upkeep();
        }
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_come_out_as_histograms_with_buckets() {
        let recorder = builder().unwrap().build_recorder();
        let figures = Figures(recorder.handle());
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("yishi_call_seconds", "account_kind" => "sf").record(0.3);
            metrics::counter!("yishi_calls_total", "outcome" => "ok").increment(2);
        });
        let text = figures.render();
        assert!(text.contains("yishi_call_seconds_bucket{account_kind=\"sf\",le=\"0.5\"} 1"), "{text}");
        assert!(text.contains("yishi_calls_total{outcome=\"ok\"} 2"), "{text}");
    }
}
