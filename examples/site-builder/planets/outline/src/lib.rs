//! Tables of contents.

mod nesting;

kokoro_guest::planet! {
    state: Outline,
    exports: ["site:content/outline@0.1.0"],
    requires: ["site:content/markdown@0.1.0"],
    wit: "../../wit",
}

#[derive(Default)]
struct Outline;

impl outline::Guest for Outline {
    fn outline(&mut self, source: String) -> Result<Vec<outline::Entry>, String> {
        let headings = markdown::inspect(&source)?.headings;
        let levels: Vec<u8> = headings.iter().map(|heading| heading.level).collect();
        let listed = &headings[nesting::title(&levels)..];
        let depths = nesting::depths(listed.iter().map(|heading| heading.level));
        Ok(listed
            .iter()
            .zip(depths)
            .filter(|(heading, _)| !heading.text.is_empty())
            .map(|(heading, depth)| outline::Entry { depth, id: heading.id.clone(), text: heading.text.clone() })
            .collect())
    }
}
