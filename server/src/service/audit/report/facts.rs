//! Facts for a data protection impact assessment (R72): what is configured, read from where it takes effect.
use serde_json::{Value, json};

use crate::{audit::operations, pool::PoolKind, service::Service};

impl Service {
    pub(super) fn facts(&self) -> Value {
        let pools: Vec<Value> = self
            .pools()
            .iter()
            .map(|pool| {
                let definition = pool.definition();
                json!({
                    "name": definition.name.to_string(),
                    "kind": definition.kind.code(),
                    "rationale": definition.rationale,
                    "purposes": definition.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(),
                    "space": definition.space,
                })
            })
            .collect();
        let kinds: serde_json::Map<String, Value> = PoolKind::ALL
            .into_iter()
            .map(|kind| {
                let purposes = self.authoriser.purposes().of_kind(kind);
                let codes: Vec<&str> = purposes.iter().map(|purpose| purpose.code()).collect();
                (kind.code().to_owned(), json!(codes))
            })
            .collect();
        let algorithm = self.engine.algorithm();
        let threshold = self.engine.threshold();
        let calls: serde_json::Map<String, Value> = operations::CALLS
            .iter()
            .map(|row| {
                let codes: Vec<&str> = row.operations.iter().map(|operation| operation.code()).collect();
                (row.call.to_owned(), json!({ "operations": codes, "because": row.because }))
            })
            .collect();
        let config = &self.config;
        json!({
            "pools": pools,
            "purposes_by_kind": kinds,
            "retention": {
                "audit_content_days": config.audit.content_retention_days,
                "audit_metadata_days": config.audit.metadata_retention_days,
                "audit_hashes": "kept for good: they tell nothing, and keep signed heads and proofs valid",
                "probes": "never enrolled; sealed with the audit content of the search",
            },
            "algorithm": {
                "pack": algorithm.pack,
                "space_id": algorithm.space_id,
                "matcher_version": algorithm.matcher_version,
            },
            "threshold": {
                "similarity": threshold.similarity,
                "meaning": threshold.meaning,
                "source": threshold.source,
                "error_rates": "not measured by this service: see the test reports of the pack",
            },
            "limits": {
                "candidates_at_most": config.search.max_candidates,
                "token_days_at_most": config.identity.token_max_days,
            },
            "logged_operations": calls,
            "anomaly_rules": self.anomaly_rules.names(),
        })
    }
}
