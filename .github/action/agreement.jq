# Two plans, $reviewed and $now -> the keys of what each would send and the other would not.
#
# Lines that moved in a file, and reasons that only a state file knows, are no difference. What is sent, to which
# account, and what must hold before it is sent, are.
def sent:
  .account as $account
  | (.new_options[] | {$account, key: "\(.custom_field): \(.name)", requests: [.request]}),
    (.incident_changes[] | select(.requests != []) | {$account, key, incident_id, precondition, requests});
def known: INDEX(sent; tojson);
def without($other): [sent | select($other[tojson] | not) | .key];
$reviewed[0] as $reviewed | $now[0] as $now
| {unreviewed: ($now | without($reviewed | known)), gone: ($reviewed | without($now | known))}
