"""Reading scene files: files.py writes them from the benchmark scenes, section.py reads them."""
