//! Known counts, then counted ones, then what is said of them.

use super::*;

fn counts(pairs: &[(&str, u64)]) -> Counts {
    let pairs = pairs
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    pairs.collect()
}

fn compare(known: u64, counted: u64) -> (Judgment, String) {
    let comparison = Comparison::of(&counts(&[("fold", known)]), &counts(&[("fold", counted)]));
    let row = &comparison.0[0];
    (row.judgment(), row.change().unwrap().to_string())
}

#[test]
fn five_percent_more_is_accepted_and_one_instruction_beyond_is_not() {
    let expected = (Judgment::Same, "+5.00 %".to_owned());
    assert_eq!(compare(20_000, 21_000), expected);
    let expected = (Judgment::Slower, "+5.00 %".to_owned());
    assert_eq!(compare(20_000, 21_001), expected);
    assert_eq!(compare(10, 11).0, Judgment::Slower);
    assert_eq!(compare(19, 19), (Judgment::Same, "+0.00 %".to_owned()));
}

#[test]
fn more_than_five_percent_less_is_accepted_and_told() {
    assert_eq!(compare(20_000, 19_000).0, Judgment::Same);
    let expected = (Judgment::Faster, "-5.01 %".to_owned());
    assert_eq!(compare(20_000, 18_998), expected);
    assert_eq!(compare(200, 199).1, "-0.50 %");

    let comparison = Comparison::of(&counts(&[("fold", 200)]), &counts(&[("fold", 100)]));
    assert!(comparison.is_accepted());
    let last = comparison.lines().pop().unwrap();
    assert!(last.contains("1 shrank by more than 5 %"), "{last}");
    assert!(last.contains("cargo xtask instructions --update"), "{last}");
}

#[test]
fn a_count_of_nothing_does_not_divide_by_it() {
    assert_eq!(compare(0, 0), (Judgment::Same, "+0.00 %".to_owned()));
    assert_eq!(compare(0, 1).0, Judgment::Slower);
    assert_eq!(compare(u64::MAX, u64::MAX).0, Judgment::Same);
    assert_eq!(compare(1, u64::MAX).0, Judgment::Slower);
}

#[test]
fn one_slower_count_among_others_is_refused_and_named() {
    let known = counts(&[("decide/create", 1_000), ("fold", 20_000)]);
    let counted = counts(&[("decide/create", 1_100), ("fold", 20_010)]);
    let comparison = Comparison::of(&known, &counted);

    assert!(!comparison.is_accepted());
    let expected = [
        "instructions        known     counted      change",
        "decide/create        1000        1100    +10.00 %  SLOWER",
        "fold                20000       20010     +0.05 %",
    ];
    let lines = comparison.lines();
    assert_eq!(lines[..3], expected);
    assert!(lines[3].starts_with("instructions: 1 grew by more than 5 %"));
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_benchmark_that_came_or_went_is_refused_until_the_file_says_so() {
    let known = counts(&[("decide", 1_000), ("fold", 20_000)]);

    let came = Comparison::of(
        &known,
        &counts(&[("decide", 1_000), ("fold", 20_000), ("gate", 9)]),
    );
    let went = Comparison::of(&known, &counts(&[("decide", 1_000)]));
    let nothing = Comparison::of(&known, &Counts::new());

    assert!(!came.is_accepted());
    assert!(came.lines()[3].ends_with("NEW"), "{:?}", came.lines());
    assert!(!went.is_accepted());
    assert!(went.lines()[2].ends_with("GONE"), "{:?}", went.lines());
    assert!(!nothing.is_accepted());
}
