//! A rule file is taken whole or refused, with the line and the field.
use super::*;

fn refused(from: &str, to: &str) -> String {
    assert!(SHIPPED.contains(from), "{from}");
    RuleSet::parse(&SHIPPED.replacen(from, to, 1)).unwrap_err().to_string()
}

/// Line of the shipped file that holds `text`, from 1.
fn line_of(text: &str) -> usize {
    SHIPPED.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn the_shipped_file_says_what_it_is() {
    let rules = shipped();
    assert_eq!(rules.version(), "2026.1");
    assert_eq!(rules.effective_from(), day("2026-01-01"));
    assert_eq!(rules.text(), SHIPPED);
    assert_eq!(rules.beyond_use(), Period::days(28));
    assert_eq!(rules.clear_period(MopiGroup::Two), Period::years(10));
    assert!(PoolKind::ALL.into_iter().all(|kind| rules.covers(kind)));
    assert_ne!(rules.digest(), RuleSet::parse(&format!("{SHIPPED}\n# a word\n")).unwrap().digest());
    let verified: Vec<_> = rules
        .sources()
        .into_iter()
        .filter(|source| source.status == Confirmation::Verified)
        .map(|source| source.rule)
        .collect();
    assert_eq!(
        verified,
        ["default", "application.not_convicted.adult", "application.not_convicted.under_18"]
    );
}

#[test]
fn unknown_keys_and_wrong_values_are_refused_where_they_stand() {
    let line = line_of("chase_after = { days = 28 }");
    let said = refused("chase_after = { days = 28 }", "chase_aftr = { days = 28 }");
    assert!(said.starts_with(&format!("line {line}, column 1:")) && said.contains("chase_aftr"), "{said}");
    let said = refused("effective_from = 2026-01-01", "effective_from = \"soon\"");
    assert!(said.starts_with(&format!("line {}, ", line_of("effective_from"))), "{said}");
    let said = refused("for = { months = 6 }", "for = { moons = 6 }");
    assert!(said.contains("expected a period such as"), "{said}");
    let said = refused("format = 1", "format = 2");
    assert!(said.contains("this program reads format 1"), "{said}");
    let said = RuleSet::parse(&"#".repeat(300_000)).unwrap_err();
    assert_eq!(said, RuleError::TooLong);
    assert!(RuleSet::parse("").unwrap_err().to_string().contains("missing field"));
}

/// A change to the shipped file, and what its refusal says.
const CONTRADICTIONS: [(&str, &str, &str); 17] = [
    (
        "for = { months = 6 }\nfrom = \"first_collected\"\nreview_every = { months = 6 }\n",
        "for = { months = 6 }\nfrom = \"first_collected\"\n",
        "no rule retains without a review",
    ),
    (
        "review_every = { years = 10 }\nunreviewed_due_after = { years = 1 }",
        "review_every = { years = 11 }\nunreviewed_due_after = { years = 1 }",
        "`review_every`: 11 years is not between",
    ),
    (
        "review_every = { years = 10 }\nunreviewed_due_after = { years = 1 }",
        "review_every = { years = 10 }",
        "`unreviewed_due_after`: is missing",
    ),
    (
        "for = { years = 1 }\nfrom = \"event\"\nreview_every = { years = 1 }",
        "for = { years = 1 }\nfrom = \"event\"\nreview_every = { years = 2 }",
        "`review_every`: is longer than `for`",
    ),
    (
        "event = { outcomes = [\"pending\"] }\nfor",
        "event = { outcomes = [\"pending\", \"quashed\"] }\nfor",
        "apply to the same case",
    ),
    (
        "event = { outcomes = [\"pending\"] }\nfor = { years = 1 }\nfrom = \"event\"",
        "event = { outcomes = [\"pending\"] }\nfor = { years = 1 }\nfrom = \"outcome\"",
        "`from`: is the outcome",
    ),
    ("id = \"custody.pending\"", "id = \"custody.no_event\"", "`id`: is used twice"),
    ("id = \"custody.pending\"", "id = \"review.retain\"", "`id`: is a name that the program uses itself"),
    ("group = 4\n", "group = 3\n", "there already is a table for this group"),
    (
        "beyond_use = { days = 28 }",
        "beyond_use = { days = 91 }",
        "`beyond_use`: 91 days is not between 1 and 90 days",
    ),
    (
        "beyond_use = { days = 28 }",
        "beyond_use = { days = 0 }",
        "`beyond_use`: no time is not between 1 and 90 days",
    ),
    ("reasons = [\"found\"]", "reasons = [\"found\", \"identified\"]", "does not apply to pools of kind"),
    (
        "reasons = [\"found\"]",
        "reasons = [\"found\", \"death_registered\"]",
        "already decides `death_registered`",
    ),
    ("until_age = 100", "until_age = 130", "ages and years go from 1 to 100"),
    (
        "pools = [\"person\"]\napplies_to = \"open_case\"",
        "pools = [\"missing_person\"]\napplies_to = \"open_case\"",
        "apply to the same case",
    ),
    (
        "for = { days = 0 }\nfrom = \"outcome\"\n",
        "for = { years = 60 }\nfrom = \"outcome\"\nreview_every = { years = 1 }\nunreviewed_due_after = { years = 1 }\n",
        "would retain persons who were not convicted for a lifetime",
    ),
    (
        "clear_period_restarted_by = [\"pending\", \"cautioned\", \"convicted\"]",
        "clear_period_restarted_by = [\"pending\"]",
        "`convicted` must be among them",
    ),
];

#[test]
fn contradictions_are_refused() {
    for (from, to, says) in CONTRADICTIONS {
        let said = refused(from, to);
        assert!(said.contains(says), "{to}\n{said}");
    }
    let said = refused("id = \"custody.pending\"", "id = \"custody.no_event\"");
    assert!(
        said.starts_with(&format!("line {}, rule `custody.no_event`", line_of("id = \"custody.pending\""))),
        "{said}"
    );
}

#[test]
fn rules_that_retain_nobody_or_everybody_are_refused() {
    let start = SHIPPED.find("[[retain]]\nid = \"person.open\"").unwrap();
    let end = SHIPPED.find("[[retain]]\nid = \"missing_person.open\"").unwrap();
    let nobody = format!("{}{}", &SHIPPED[..start], &SHIPPED[end..]);
    let said = RuleSet::parse(&nobody).unwrap_err().to_string();
    assert!(said.contains("nobody would be retained in pools of kind `person`"), "{said}");

    let (before, rest) = SHIPPED.split_at(SHIPPED.find("[[retain]]").unwrap());
    let after = &rest[rest.find("[[closed]]").unwrap()..];
    let mut everybody = before.to_owned();
    for kind in PoolKind::ALL {
        let applies = if kind == PoolKind::Custody { "no_event" } else { "open_case" };
        everybody.push_str(&format!(
            "[[retain]]\nid = \"{kind}\"\ntitle = \"t\"\npools = [\"{kind}\"]\napplies_to = \"{applies}\"\nfor = {{ years = 99 }}\n\
             from = \"first_collected\"\nreview_every = {{ years = 1 }}\nunreviewed_due_after = {{ years = 1 }}\nsource = \"s\"\n\
             status = \"verified\"\n"
        ));
    }
    let said = RuleSet::parse(&format!("{everybody}{after}")).unwrap_err().to_string();
    assert!(said.contains("everybody would be retained for a lifetime"), "{said}");
    let shorter = everybody.replacen("years = 99", "years = 9", 1);
    RuleSet::parse(&format!("{shorter}{after}")).unwrap();
}

#[test]
fn the_document_names_every_rule_and_its_source() {
    let rules = shipped();
    let text = rules.render();
    for source in rules.sources() {
        assert!(
            text.contains(&format!("| `{}` | {} |", source.rule, source.status.text())),
            "{}",
            source.rule
        );
    }
    for said in ["6 years", "until the age of 100", "a highly exceptional reason", "28 days", "1 March"] {
        assert!(text.contains(said), "{said}");
    }
    assert_eq!(text, rules.render());
}

#[test]
fn any_change_of_a_byte_is_read_or_refused_without_a_panic() {
    let mut random = crate::seeded::Random::seeded();
    for _ in 0..400 {
        let mut bytes = SHIPPED.as_bytes().to_vec();
        let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
        bytes[at] = b" \"[]{}=#0919azA\n-."[usize::try_from(random.below(18)).unwrap()];
        if let Ok(text) = String::from_utf8(bytes)
            && let Err(error) = RuleSet::parse(&text)
        {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn the_manual_shows_the_shipped_rules() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/retention-rules.md");
    let manual = std::fs::read_to_string(&file).unwrap();
    let (begin, end) = ("<!-- rules: begin -->\n", "<!-- rules: end -->");
    let (start, stop) = (manual.find(begin).unwrap() + begin.len(), manual.find(end).unwrap());
    let rendered = format!("\n{}\n", shipped().render());
    if std::env::var_os("LIKENESS_WRITE_DOCS").is_some() {
        std::fs::write(&file, format!("{}{rendered}{}", &manual[..start], &manual[stop..])).unwrap();
        return;
    }
    assert_eq!(
        &manual[start..stop],
        rendered,
        "run this test with LIKENESS_WRITE_DOCS=1 to bring the manual up to date"
    );
}
