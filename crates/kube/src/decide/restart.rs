//! After which exit codes of a main its sidecars may be stopped: those after which nobody starts it again.

use crate::pod::{Container, Pod, RestartPolicy, list};
use serde_json::Value;
use std::fmt;

/// Exit codes, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes([u128; 2]);

impl Codes {
    const NONE: Self = Self([0, 0]);
    const ALL: Self = Self([u128::MAX, u128::MAX]);

    fn bit(code: u8) -> (usize, u128) {
        (usize::from(code >> 7), 1 << (code & 127))
    }

    fn with(mut self, code: u8) -> Self {
        let (word, bit) = Self::bit(code);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
        self
    }

    /// This code is among them.
    #[must_use]
    pub fn has(self, code: u8) -> bool {
        let (word, bit) = Self::bit(code);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn without(self, other: Self) -> Self {
        let mut codes = self;
        for (word, other) in codes.0.iter_mut().zip(other.0) {
            *word &= !other;
        }
        codes
    }

    /// No code at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// As `--stop-on` takes it; `None`: its default.
    #[must_use]
    pub fn as_stop_on(self) -> Option<String> {
        if self == Self::ALL {
            return None;
        }
        if self == Self::NONE.with(0) {
            return Some("success".to_owned());
        }
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for code in (0..=u8::MAX).filter(|code| self.has(*code)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(code) => *last = code,
                _ => ranges.push((code, code)),
            }
        }
        let texts: Vec<String> = ranges
            .into_iter()
            .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
            .collect();
        Some(if texts.is_empty() { "never".to_owned() } else { texts.join(",") })
    }
}

/// As `--stop-on` would take them: `always`, `success`, `never`, `0,64-78`.
impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_stop_on().as_deref().unwrap_or("always"))
    }
}

/// The codes after which this main is over for good: the container's own policy over the pod's, and the rules of
/// `restartPolicyRules` (on by default from 1.36) over both, of which the first that matches decides.
#[must_use]
pub fn final_codes(pod: Pod<'_>, container: Container<'_>) -> Codes {
    let policy = container.restart_policy().unwrap_or_else(|| pod.restart_policy());
    let codes = match policy {
        RestartPolicy::Never => Codes::ALL,
        RestartPolicy::OnFailure => Codes::NONE.with(0),
        RestartPolicy::Always => Codes::NONE,
    };
    let mut decided = Codes::NONE;
    let mut restarted = Codes::NONE;
    for rule in list(container.value(), "restartPolicyRules") {
        for code in 0..=u8::MAX {
            if !decided.has(code) && matches(rule, code) {
                decided = decided.with(code);
                if rule
                    .get("action")
                    .and_then(Value::as_str)
                    .is_some_and(|action| action.starts_with("Restart"))
                {
                    restarted = restarted.with(code);
                }
            }
        }
    }
    codes.without(restarted)
}

fn matches(rule: &Value, code: u8) -> bool {
    let Some(codes) = rule.get("exitCodes") else { return false };
    let listed = list(codes, "values").any(|value| value.as_u64() == Some(u64::from(code)));
    match codes.get("operator").and_then(Value::as_str) {
        Some("In") => listed,
        Some("NotIn") => !listed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stop_on(pod_policy: &str, container: &Value) -> Option<String> {
        let pod = json!({ "spec": { "restartPolicy": pod_policy, "containers": [container] } });
        let pod = Pod(&pod);
        final_codes(pod, pod.containers()[0]).as_stop_on()
    }

    #[test]
    fn the_pods_policy_decides_where_the_container_says_nothing() {
        assert_eq!(stop_on("Never", &json!({})), None);
        assert_eq!(stop_on("OnFailure", &json!({})).unwrap(), "success");
        assert_eq!(stop_on("Always", &json!({})).unwrap(), "never");
    }

    #[test]
    fn the_containers_own_policy_and_rules_win() {
        assert_eq!(stop_on("Never", &json!({ "restartPolicy": "OnFailure" })).unwrap(), "success");
        let rule = |operator: &str, values: &[u8]| json!({ "restartPolicyRules": [{ "action": "Restart", "exitCodes": { "operator": operator, "values": values } }] });
        assert_eq!(stop_on("Never", &rule("In", &[42])).unwrap(), "0-41,43-255");
        assert_eq!(stop_on("Never", &rule("NotIn", &[0, 3])).unwrap(), "0,3");
        assert_eq!(stop_on("OnFailure", &rule("In", &[0])).unwrap(), "never");
        let two = json!({ "restartPolicyRules": [
            { "action": "Terminate", "exitCodes": { "operator": "In", "values": [1] } },
            { "action": "RestartAllContainers", "exitCodes": { "operator": "In", "values": [1, 2] } },
        ] });
        assert_eq!(stop_on("Never", &two).unwrap(), "0-1,3-255", "the first rule that matches decides");
    }
}
