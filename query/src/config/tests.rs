//! Every bad example with the messages it must give, and the manual against the code.

use std::path::{Path, PathBuf};

use super::*;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn problems(text: &str) -> Vec<String> {
    let problems = read(text, |_| {}).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// Each file says in its comments which messages it gives, all of them, in this order; one may be given by its beginning.
#[test]
fn bad_examples_are_refused_with_all_their_problems() {
    let files: Vec<_> =
        std::fs::read_dir(folder("src/config/bad")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 5);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expect: ")).collect();
        let found = problems(&text);
        let fits = |(found, expected): (&String, &&str)| {
            found == expected || expected.ends_with(':') && found.starts_with(expected)
        };
        let all = found.len() == expected.len() && found.iter().zip(&expected).all(fits);
        assert!(all, "{}:\nfound    {found:#?}\nexpected {expected:#?}", file.display());
    }
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "---\n", "limits: {}\n"] {
        assert_eq!(problems(text), [] as [&str; 0], "{text:?}");
    }
    let settings = Settings::resolve(&Config::default()).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7514");
    assert_eq!(settings.http.max_body_bytes, 16 << 20);
    assert_eq!(settings.indexer.max_decompressed_bytes, 64 << 20);
}

#[test]
fn a_full_example_is_understood() {
    let text = "listen: '[::]:7514'\ntls: {cert: /c, key: /k, client_ca: /a}\nauth:\n  tokens:\n    - name: siem\n      \
        sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n      tenant: acme\n      \
        permissions: [read]\n      filter: kubernetes.namespace=payments\n      expires: 2027-01-01T00:00:00Z\n\
        limits: {max_body_bytes: 1048576, search_deadline: 250ms}\nretention: {age: 30d, size: 2GiB, tenants: {acme: {age: forever, rules: [keep a for 9d]}}}\nlog: {format: json}\n";
    let settings = read(text, |_| {}).unwrap().1;
    assert_eq!(settings.tls.unwrap().client_ca.unwrap(), Path::new("/a"));
    let [token] = settings.tokens.as_slice() else { panic!("one token") };
    assert_eq!((token.principal.tenant.as_str(), token.principal.filter.is_some()), ("acme", true));
    assert_eq!(settings.search.deadline.as_millis(), 250);
    let retention = &settings.indexer.retention;
    assert_eq!(retention.common.bytes, Some(2 << 30));
    let acme = &retention.tenants[&locard_indexer::Tenant::parse("acme").unwrap()];
    assert_eq!((acme.age, acme.rules.len()), (Some(locard_indexer::Age::Forever), 1));
    assert_eq!(settings.log.format, LogFormat::Json);
}

/// The table of keys lists every key that serde knows, with its default, and nothing else.
#[test]
fn the_table_of_keys_is_that_of_the_code() {
    let mut config = Config::default();
    config.auth.tokens.push(TokenEntry::default());
    config.retention.tenants.insert("*".into(), TenantRetention::default());
    let mut found = Vec::new();
    leaves("", &yaml_serde::to_value(&config).unwrap(), &mut found);
    let sections = KEYS.iter().filter(|key| key.takes == "section").map(|key| key.path);
    for section in sections {
        assert!(KEYS.iter().any(|key| key.path.starts_with(&format!("{section}."))), "{section}");
    }
    let is_leaf = |key: &&Key| {
        key.takes != "section" && !key.path.starts_with("collector") && key.path != "auth.tokens"
    };
    let listed: Vec<_> =
        KEYS.iter().filter(is_leaf).map(|key| (key.path.to_owned(), key.default.to_owned())).collect();
    assert_eq!(listed, found);
}

fn leaves(path: &str, value: &yaml_serde::Value, found: &mut Vec<(String, String)>) {
    match value {
        yaml_serde::Value::Mapping(members) => {
            for (key, value) in members {
                let key = key.as_str().unwrap();
                leaves(&if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }, value, found);
            }
        }
        yaml_serde::Value::Sequence(elements) if !elements.is_empty() => {
            leaves(&format!("{path}[]"), &elements[0], found)
        }
        yaml_serde::Value::Sequence(_) | yaml_serde::Value::Null => {
            found.push((path.to_owned(), String::new()))
        }
        leaf => {
            let text = yaml_serde::to_string(leaf).unwrap().trim().trim_matches('\'').to_owned();
            found.push((path.to_owned(), text));
        }
    }
}

/// `UPDATE_EXPECT=1` writes it.
#[test]
fn the_manual_is_up_to_date() {
    expect_test::expect_file![folder("../docs/configuration.md")].assert_eq(&manual());
}

/// Every example of a page on retention is one that can be used.
#[test]
fn the_examples_of_retention_can_be_used() {
    let page = include_str!("../../../docs/retention.md");
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the page lost its examples");
    blocks.iter().for_each(|block| assert_eq!(problems(block), [""; 0], "{block}"));
}

/// What `config print` shows can be read again and means the same.
#[test]
fn a_printed_configuration_can_be_read() {
    let config = Config::default();
    let text = yaml_serde::to_string(&config).unwrap();
    assert_eq!(yaml_serde::to_string(&read(&text, |_| {}).unwrap().0).unwrap(), text);
}
