//! Prepared data are made once, and made again when they are not what they were.

use std::fs;

use nas_core::executor::DataCache;
use nas_core::protocol::data::{DataConfig, DataFormat};

use super::fake::program;

fn config(path: Option<&std::path::Path>) -> DataConfig {
    DataConfig {
        format: DataFormat::Digits,
        path: path.map(ToOwned::to_owned),
        validation_fraction: 0.2,
        holdout_fraction: 0.2,
        limit: None,
        max_duplicates: None,
        split_seed: 0,
    }
}

#[test]
fn the_second_time_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DataCache::new(folder.path());
    let (first, usage) = cache.get(program(), &config(None)).unwrap();
    assert!(usage.cpu_seconds > 0.0);
    let (second, usage) = cache.get(program(), &config(None)).unwrap();
    assert_eq!((second, usage.cpu_seconds), (first, 0.0));
}

#[test]
fn broken_files_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = DataCache::new(folder.path());
    let (first, _) = cache.get(program(), &config(None)).unwrap();
    let damages: [&dyn Fn(); 3] = [
        &|| fs::write(&first.validation.path, "another content").unwrap(),
        &|| fs::remove_file(&first.holdout.path).unwrap(),
        &|| {
            let summary = first.train.path.with_file_name("summary.json");
            fs::write(summary, "{").unwrap();
        },
    ];
    for damage in damages {
        damage();
        let (again, usage) = cache.get(program(), &config(None)).unwrap();
        assert!(usage.cpu_seconds > 0.0);
        assert_eq!(again, first);
    }
}

#[test]
fn another_split_or_another_source_is_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let source = tempfile::tempdir().unwrap();
    let image = source.path().join("image");
    fs::write(&image, "1").unwrap();
    let cache = DataCache::new(folder.path());
    let place = |config: &DataConfig| {
        let (summary, _) = cache.get(program(), config).unwrap();
        summary.train.path.parent().unwrap().to_owned()
    };
    let mut places = vec![place(&config(None)), place(&config(Some(source.path())))];
    places.push(place(&DataConfig { split_seed: 1, ..config(Some(source.path())) }));
    fs::write(&image, "22").unwrap();
    places.push(place(&config(Some(source.path()))));
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 4);
}
