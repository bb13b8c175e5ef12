"""Every limit of intake, in one place. Holds no code."""

MIB = 1024 * 1024

FILE_BYTES = 4096 * MIB  # an uploaded file
XLSX_ROWS = 200_000  # a larger workbook is refused with advice: save it as CSV
XLSX_COLUMNS = 100
XLSX_UNPACKED_BYTES = 1024 * MIB  # all parts of the workbook, as its directory declares them
XLSX_TEXT = 512 * MIB  # characters of all cells, a text counted as often as it stands
XLSX_MEMORY_BYTES = 768 * MIB  # of the process that reads a workbook
XLSX_SECONDS = 600  # of a processor, for the same
COLUMNS = 500  # headings of a CSV file
HEADER_BYTES = 1 * MIB  # the first line of a CSV file
RECORD_LENGTH = (
    128 * 1024
)  # characters of one record of a CSV file, line breaks inside cells included; what the csv module takes as one cell
RECORD_LINES = 200  # lines one cell may run over before its quote counts as forgotten
FAULTS_LISTED = 200_000  # all are counted; more than these are not worth a reader's time
FOUND_LENGTH = 80  # characters of a wrong value shown in a fault
STAGE_MEMORY = "384MB"  # of DuckDB while a file is typed; more goes to the private scratch folder
STAGE_THREADS = 2
SEAL_ROWS = 20_000  # rows sealed and copied at a time
VAULT_CHUNK = 1 * MIB
KEEP_DAYS = 365  # after which the encrypted copy of a file is deleted; its digest stays
FAULT_PAGE = 100
