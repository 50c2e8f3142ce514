#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
use super::*;

fn refusal(text: &str) -> String {
    let error = Config::parse(text).expect_err("must be refused");
    let mut told = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

#[test]
fn the_reference_file_is_the_default() {
    let config = Config::parse("").unwrap();
    assert_eq!(config, Config::parse(DEFAULT).unwrap());
    assert_eq!(config.limits.message_bytes, 16 * 1024 * 1024);
    assert_eq!(config.limits.image_bytes, 10 * 1024 * 1024);
    assert_eq!(config.search.default_candidates, 20);
    assert_eq!(config.search.max_candidates, 200);
    assert_eq!(config.audit.content_retention_days, 1096);
    assert_eq!(config.audit.metadata_retention_days, 3653);
    assert!(!config.listen.plaintext);
    assert!(config.matcher.sessions >= 1);
}

#[test]
fn a_file_may_set_some_keys() {
    let config = Config::parse("[search]\ndefault_candidates = 5\n").unwrap();
    assert_eq!(config.search.default_candidates, 5);
    assert_eq!(config.search.max_candidates, 200);
}

#[test]
fn no_pool_is_compressed_unless_it_is_named() {
    assert!(Config::parse("").unwrap().search.compressed.pools.is_empty());
    let search = Config::parse("[search]\ncompressed_pools = [\"cells\"]\n").unwrap().search;
    let options = |pool: &str| search.compressed.options(search.index, &pool.parse().unwrap());
    assert!(options("cells").compression.is_some());
    assert_eq!(options("persons").compression, None);
}

#[test]
fn unknown_keys_and_sections_are_refused_by_name() {
    assert!(refusal("[limits]\nmesage_bytes = 1\n").contains("mesage_bytes"));
    assert!(refusal("[limit]\nmessage_bytes = 1\n").contains("limit"));
    assert!(refusal("plaintext = true\n").contains("plaintext"));
}

#[test]
fn plaintext_beyond_loopback_is_refused() {
    for address in ["0.0.0.0:7440", "192.0.2.1:7440", "[::]:7440"] {
        let told = refusal(&format!("[listen]\naddress = \"{address}\"\nplaintext = true\n"));
        assert!(told.contains("loopback") && told.contains(address), "{told}");
    }
    for address in ["127.0.0.1:7440", "[::1]:7440"] {
        assert!(
            Config::parse(&format!("[listen]\naddress = \"{address}\"\nplaintext = true\n"))
                .unwrap()
                .listen
                .plaintext
        );
    }
    assert!(Config::parse("[listen]\naddress = \"0.0.0.0:7440\"\n").is_ok(), "TLS may listen anywhere");
}

#[test]
fn values_out_of_range_are_refused_with_the_range() {
    for (text, key) in [
        ("[limits]\nconcurrent_requests = 0\n", "limits.concurrent_requests"),
        ("[limits]\nmessage_bytes = 1\n", "limits.message_bytes"),
        ("[limits]\nimage_bytes = 16777216\n", "limits.image_bytes"),
        ("[search]\nmax_candidates = 201\n", "search.max_candidates"),
        ("[search]\nmax_candidates = 10\n", "search.default_candidates"),
        ("[search]\ncompressed_pools = [\"no such/name\"]\n", "search.compressed_pools"),
        ("[search]\ncompressed_pools = [\"cells\", \"cells\"]\n", "search.compressed_pools"),
        ("[search]\ncompressed_bits = 3\n", "search.compressed_bits"),
        ("[search]\ncompressed_rescored = 99\n", "search.compressed_rescored"),
        ("[matcher]\nsessions = 0\n", "matcher.sessions"),
        ("[matcher]\npack = \"\"\n", "matcher.pack"),
        ("[identity]\ntoken_max_days = 10000\n", "identity.token_max_days"),
        ("[audit]\ncontent_retention_days = 0\n", "audit.content_retention_days"),
        ("[audit]\nmetadata_retention_days = 365\n", "audit.metadata_retention_days"),
        (
            "[audit]\ncontent_retention_days = 2000\nmetadata_retention_days = 1999\n",
            "audit.metadata_retention_days",
        ),
    ] {
        let told = refusal(text);
        assert!(told.contains(key) && told.contains("must be"), "{told}");
    }
    assert!(
        refusal("[limits]\nconnections = -1\n").contains("-1")
            || !refusal("[limits]\nconnections = -1\n").is_empty()
    );
}

#[test]
fn the_rendered_file_differs_only_where_asked() {
    let rendered = render("127.0.0.1:9".parse().unwrap(), "pa\"ck");
    let config = Config::parse(&rendered).unwrap();
    assert_eq!(config.listen.address, "127.0.0.1:9".parse().unwrap());
    assert_eq!(config.matcher.pack, "pa\"ck");
    assert_eq!(rendered.lines().count(), DEFAULT.lines().count());
}
