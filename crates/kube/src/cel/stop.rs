//! `--stop-on` of each container in CEL: what `decide::final_codes` says.

use super::facts::Variable;

const OF: &str = "variables.containers[i]";

/// `policies`, `finals`, `stopOn`: lists over all containers; '' where it has no need to be said.
pub(super) fn variables() -> Vec<Variable> {
    let codes = (0..=u8::MAX).map(|code| code.to_string()).collect::<Vec<_>>().join(",");
    let listed = "(has(r.exitCodes.values) && k in r.exitCodes.values)";
    let matching = format!(
        "has(r.exitCodes) && (r.exitCodes.operator == 'In' ? {listed} : r.exitCodes.operator == 'NotIn' && !{listed})"
    );
    let is_restarted = format!(
        "({OF}.restartPolicyRules.filter(r, {matching}).map(r, r.action) + [''])[0].startsWith('Restart')"
    );
    let is_final = format!(
        "(variables.policies[i] == 'Never' || (variables.policies[i] == 'OnFailure' && k == 0)) && !{is_restarted}"
    );
    let ranges = "variables.finals[i].filter(k, !((k - 1) in variables.finals[i])).map(k, \
         [variables.finals[i].filter(l, l >= k && !((l + 1) in variables.finals[i]))[0]].map(l, \
         k == l ? string(k) : string(k) + '-' + string(l))[0]).join(',')";
    vec![
        (
            "policies",
            format!(
                "variables.index.map(i, has({OF}.restartPolicy) ? {OF}.restartPolicy : has(variables.spec.restartPolicy) ? variables.spec.restartPolicy : 'Always')"
            ),
        ),
        // Written out for those that have rules only: this is the dearest of all, and few have any.
        (
            "finals",
            format!(
                "variables.index.map(i, has({OF}.restartPolicyRules) ? [{codes}].filter(k, {is_final}) : [])"
            ),
        ),
        (
            "stopOn",
            format!(
                "variables.index.map(i, !has({OF}.restartPolicyRules) \
                 ? (variables.policies[i] == 'Never' ? '' : variables.policies[i] == 'OnFailure' ? 'success' : 'never') \
                 : size(variables.finals[i]) == 256 ? '' : size(variables.finals[i]) == 0 ? 'never' : variables.finals[i] == [0] ? 'success' : {ranges})"
            ),
        ),
    ]
}
