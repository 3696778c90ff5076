//! The kinds of objects that Istio's control plane asks for.

/// A kind, the group that it is in (empty for Kubernetes' core), and the version that is served.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
}

/// Those that Istio defines: it waits for their definitions before it starts.
pub(super) const DEFINED: [Kind; 15] = [
    Kind { name: "WasmPlugin", group: "extensions.istio.io", version: "v1alpha1" },
    Kind { name: "TrafficExtension", group: "extensions.istio.io", version: "v1alpha1" },
    Kind { name: "EnvoyFilter", group: "networking.istio.io", version: "v1alpha3" },
    Kind { name: "Gateway", group: "networking.istio.io", version: "v1" },
    Kind { name: "VirtualService", group: "networking.istio.io", version: "v1" },
    Kind { name: "ServiceEntry", group: "networking.istio.io", version: "v1" },
    Kind { name: "DestinationRule", group: "networking.istio.io", version: "v1" },
    Kind { name: "Sidecar", group: "networking.istio.io", version: "v1" },
    Kind { name: "WorkloadEntry", group: "networking.istio.io", version: "v1" },
    Kind { name: "WorkloadGroup", group: "networking.istio.io", version: "v1" },
    Kind { name: "ProxyConfig", group: "networking.istio.io", version: "v1beta1" },
    Kind { name: "Telemetry", group: "telemetry.istio.io", version: "v1" },
    Kind { name: "AuthorizationPolicy", group: "security.istio.io", version: "v1" },
    Kind { name: "PeerAuthentication", group: "security.istio.io", version: "v1" },
    Kind { name: "RequestAuthentication", group: "security.istio.io", version: "v1" },
];

/// Kubernetes' own, whose names cannot be told from their plurals.
const OWN: [&str; 15] = [
    "ConfigMap",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Endpoints",
    "Ingress",
    "IngressClass",
    "Lease",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "Pod",
    "Secret",
    "Service",
    "ServiceAccount",
    "ValidatingWebhookConfiguration",
];

/// Returns the kind that paths name by this plural.
pub(super) fn of_plural(plural: &str) -> Option<&'static str> {
    let defined = DEFINED.iter().map(|kind| kind.name);
    defined.chain(OWN).find(|kind| self::plural(kind) == plural)
}

/// Returns how paths name a kind.
pub(super) fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with('a') => format!("{stem}ies"),
        _ if kind == "endpoints" => kind,
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_plural() {
        let plurals = [
            ("gateways", "Gateway"),
            ("serviceentries", "ServiceEntry"),
            ("telemetries", "Telemetry"),
            ("ingressclasses", "IngressClass"),
            ("endpoints", "Endpoints"),
            ("endpointslices", "EndpointSlice"),
        ];
        for (plural, kind) in plurals {
            assert_eq!(of_plural(plural), Some(kind));
        }
    }
}
