//! Writes `docs/config.md` from the documented defaults. Must never say what the defaults do not.

/// The reference of all settings, in Markdown: what stands in `yishi.default.toml`, as tables.
pub fn reference(defaults: &str) -> String {
    let mut page = String::from(
        "# Settings\n\nWritten from `yishi.default.toml` by `config::reference`; a test keeps the two in step.\n",
    );
    let mut words: Vec<&str> = Vec::new();
    for line in defaults.lines().chain([""]) {
        let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && !rest.is_empty());
        let (line, optional) = setting.map_or((line, false), |setting| (setting, true));
        if let Some(text) = line.strip_prefix("# ") {
            words.push(text);
        } else if line.starts_with('[') {
            page.push_str(&format!("\n## `{line}`\n\n"));
            if !words.is_empty() {
                page.push_str(&words.join(" "));
                page.push_str("\n\n");
            }
            page.push_str("| key | default | meaning |\n|---|---|---|\n");
            words.clear();
        } else if let Some((key, value)) = line.split_once(" = ") {
            let default = if optional { format!("none; such as `{value}`") } else { format!("`{value}`") };
            page.push_str(&format!("| `{key}` | {default} | {} |\n", words.join(" ")));
            words.clear();
        } else if (line.is_empty() || line == "#") && !words.is_empty() && !page.contains("\n## ") {
            // A paragraph of the preamble.
            page.push_str(&format!("\n{}\n", words.join(" ")));
            words.clear();
        }
    }
    page
}
