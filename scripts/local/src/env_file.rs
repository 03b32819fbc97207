//! `local.env`: `NAME=value` lines that a shell, Docker and every dotenv reader understand alike.

use anyhow::{Result, bail};

/// One line a variable; a value is quoted only when it must be.
pub fn render(variables: &[(String, String)]) -> Result<String> {
    let mut text =
        String::from("# Written by octopush-local at every start. Holds secrets: keep it to yourself.\n");
    for (name, value) in variables {
        text.push_str(&format!("{name}={}\n", quoted(name, value)?));
    }
    Ok(text)
}

fn quoted(name: &str, value: &str) -> Result<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/@%+=,?".contains(&byte);
    if value.bytes().all(is_plain) {
        return Ok(value.to_owned());
    }
    // Inside single quotes a shell and the dotenv readers take everything as it is, but none can escape these two.
    if value.contains(['\'', '\n']) {
        bail!("{name} contains a quote or a line break and cannot stand in local.env");
    }
    Ok(format!("'{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn variable(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_shell_reads_back_what_is_written() {
        let values = [
            "http://127.0.0.1:15301",
            "postgresql://supabase_admin:Ab1@127.0.0.1:15304/postgres?sslmode=disable",
            "a $b `c` \"d\" #e \\ f & g; h",
        ];
        for value in values {
            let variables = vec![variable("NAME", value)];
            let text = render(&variables).expect("can be written");
            let script = format!("{text}printf %s \"$NAME\"");
            let shell = Command::new("sh")
                .args(["-c", &script])
                .output()
                .expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&shell.stdout), value);
        }
    }

    #[test]
    fn plain_values_carry_no_quotes() {
        let text = render(&[variable("SUPABASE_URL", "http://127.0.0.1:15301")]).expect("plain");
        assert!(text.ends_with("\nSUPABASE_URL=http://127.0.0.1:15301\n"));
    }

    #[test]
    fn a_value_that_cannot_be_quoted_is_refused_by_name() {
        for value in ["it's", "two\nlines"] {
            let error = render(&[variable("WHATSAPP_APP_SECRET", value)])
                .expect_err("refused")
                .to_string();
            assert!(
                error.contains("WHATSAPP_APP_SECRET") && !error.contains(value),
                "{error}"
            );
        }
    }
}
