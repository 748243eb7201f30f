//! `--stop-on` of each container in CEL: what `decide::final_codes` says.

use super::facts::Variable;

const OF: &str = "variables.containers[i]";

/// A rule costs as much as so many exit codes.
const DEAR_RULE: usize = 16;
/// Of the million that an expression may cost a code takes 256, and the rest of it has to have some.
const DEAREST: usize = 2_500;

/// `policies`, `finals`, `stopOn`: lists over all containers; '' where it has no need to be said.
///
/// An expression may cost a million, and `in` costs as much as its list is long: ranges are made of neighbours in the list of
/// final codes, by their places.
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
    let first = "n == 0 || variables.finals[i][n - 1] != variables.finals[i][n] - 1";
    let last =
        "n == size(variables.finals[i]) - 1 || variables.finals[i][n + 1] != variables.finals[i][n] + 1";
    let ends = |of: &str| {
        format!(
            "variables.index.map(i, variables.codes.filter(n, n < size(variables.finals[i]) && ({of})).map(n, variables.finals[i][n]))"
        )
    };
    let ranges = "variables.codes.filter(n, n < size(variables.firsts[i])).map(n, \
         variables.firsts[i][n] == variables.lasts[i][n] ? string(variables.firsts[i][n]) \
         : string(variables.firsts[i][n]) + '-' + string(variables.lasts[i][n])).join(',')";
    vec![
        (
            "policies",
            format!(
                "variables.index.map(i, has({OF}.restartPolicy) ? {OF}.restartPolicy : has(variables.spec.restartPolicy) ? variables.spec.restartPolicy : 'Always')"
            ),
        ),
        ("codes", format!("[{codes}]")),
        // Each of 256 exit codes is looked for in each rule: that this is too dear has to be known before it is done.
        (
            "hasManyRules",
            format!(
                "variables.containers.filter(c, has(c.restartPolicyRules)).map(c, size(c.restartPolicyRules) * {DEAR_RULE} \
                 + c.restartPolicyRules.map(r, has(r.exitCodes) && has(r.exitCodes.values) ? size(r.exitCodes.values) : 0).sum()).sum() > {DEAREST}"
            ),
        ),
        // Written out for those that have rules only: this is the dearest of all, and few have any.
        (
            "finals",
            format!(
                "variables.index.map(i, has({OF}.restartPolicyRules) && !variables.hasManyRules ? variables.codes.filter(k, {is_final}) : [])"
            ),
        ),
        ("firsts", ends(first)),
        ("lasts", ends(last)),
        (
            "stopOn",
            format!(
                "variables.index.map(i, !has({OF}.restartPolicyRules) \
                 ? (variables.policies[i] == 'Never' ? '' : variables.policies[i] == 'OnFailure' ? 'success' : 'never') \
                 : size(variables.finals[i]) == 256 || variables.hasManyRules ? '' : size(variables.finals[i]) == 0 ? 'never' : variables.finals[i] == [0] ? 'success' : {ranges})"
            ),
        ),
    ]
}
