"""The import: customers of the subscription system from JSON Lines or CSV files, with their subscriptions.

Lines (`source`, `encodings`) become raw rows (`json_lines`, `repair`, `csv_rows`, `columns`), raw rows become checked
rows (`texts`, `dates`, `checks`, `rows`), those of one customer become one (`survey`, `held`, `together`), and all of
them gather into batches (`parser`) and go to the store (`run`), one transaction each. Large files are read by a process
beside the import (`beside`, `parser_process`), which sends what it read (`messages`). What contradicts waits for the
end of the file (`set_aside`), and so does a customer whose number is another one now (`moving`); there a complete file
ends what it does not name (`full_export`). Nothing here knows the
store's SQL; the temporary databases are this package's own (`spool`). A rejected row is reported by file, line and
column, never by its content, and never stops the others.

A catalogue is the opposite (`catalogue`, `catalogue_fields`): one document, loaded as a whole or not at all.
"""

from __future__ import annotations

from stamkund.importing.catalogue import Mistake, WrongCatalogue, read_catalogue
from stamkund.importing.columns import parsed_columns
from stamkund.importing.encodings import named
from stamkund.importing.rejects import Rejects
from stamkund.importing.report import BadRow, CannotRun, Missing, Remark, Report, Summary
from stamkund.importing.run import import_customers
from stamkund.importing.source import total_bytes
from stamkund.importing.steps import Reading

__all__ = [
    "BadRow",
    "CannotRun",
    "Missing",
    "Mistake",
    "Reading",
    "Rejects",
    "Remark",
    "Report",
    "Summary",
    "WrongCatalogue",
    "import_customers",
    "named",
    "parsed_columns",
    "read_catalogue",
    "total_bytes",
]
