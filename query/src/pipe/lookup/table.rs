//! [`LookupTable`]: a CSV file as rows. Knows neither where it is kept nor who looks into it.

/// Largest file.
pub(crate) const MAX_BYTES: usize = 16 << 20;
const MAX_ROWS: usize = 1_000_000;
const MAX_COLUMNS: usize = 256;

/// A table that people keep.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LookupTable {
    /// Names, all different.
    pub columns: Vec<String>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl LookupTable {
    /// Reads a CSV file in UTF-8 whose first line names the columns.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("it has {} bytes, the limit is {MAX_BYTES}", text.len()));
        }
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text);
        let header = reader.headers().map_err(|error| error.to_string())?;
        let columns = columns(header)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            if rows.len() == MAX_ROWS {
                return Err(format!("it has more than {MAX_ROWS} rows"));
            }
            rows.push(record.iter().map(str::to_owned).collect());
        }
        Ok(Self { columns, rows })
    }
}

fn columns(header: &csv::StringRecord) -> Result<Vec<String>, String> {
    let columns: Vec<String> = header.iter().map(|column| column.trim().to_owned()).collect();
    if columns.len() > MAX_COLUMNS || columns.iter().all(String::is_empty) {
        return Err(format!("it has {} columns; there must be 1 to {MAX_COLUMNS}", columns.len()));
    }
    let before = |at| columns.iter().take(at);
    match columns.iter().enumerate().find(|(at, name)| before(*at).any(|earlier| earlier == *name)) {
        Some((_, twice)) => Err(format!("two columns are called `{twice}`")),
        None => Ok(columns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_different_columns_and_whole_rows() {
        let table = LookupTable::read(b"\xEF\xBB\xBFip, owner\n10.0.0.1,\"a, b\"\n").unwrap();
        assert_eq!(
            table,
            LookupTable {
                columns: vec!["ip".into(), "owner".into()],
                rows: vec![vec!["10.0.0.1".into(), "a, b".into()]],
            }
        );
        for bad in ["", "a,a\n1,2\n", "a,b\n1\n"] {
            LookupTable::read(bad.as_bytes()).unwrap_err();
        }
        LookupTable::read(b"a\n\xff\n").unwrap_err();
    }
}
