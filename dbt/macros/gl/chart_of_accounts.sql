{#
    The chart of accounts as a query, as contracts/gl/chart_of_accounts.csv has it: dbt reads no file
    while it compiles. A test holds the two to each other (tests/unit/gl/test_statements.py).

    It is one text, cut into lines and columns: DuckDB writes a view over VALUES otherwise than it reads
    it, and readers are to have the views that were built.
#}
{% macro chart_of_accounts() -%}
    select
        split_part(line, '|', 1) as account_code,
        split_part(line, '|', 2) as account_name,
        split_part(line, '|', 3) as account_class,
        split_part(line, '|', 4) as normal_side,
        split_part(line, '|', 5) as control,
        split_part(line, '|', 6) as statement,
        split_part(line, '|', 7) as caption,
        split_part(line, '|', 8) as cash_flow
    from (
        select unnest(string_to_array('{{ chart_lines() | trim | replace("'", "''") }}', chr(10))) as line
    ) as lines
{%- endmacro %}


{% macro chart_lines() -%}
1010|Operating Cash|ASSET|D||balance_sheet|Cash|Cash
1020|Owner Distribution Cash|ASSET|D||balance_sheet|Cash|Cash
1110|Accrued Revenue|ASSET|D||balance_sheet|Receivables|Change in receivables
1120|Purchaser Receivable|ASSET|D|purchaser|balance_sheet|Receivables|Change in receivables
1130|JIB Receivable|ASSET|D|partner|balance_sheet|Receivables|Change in receivables
1140|Unbilled JIB|ASSET|D||balance_sheet|Receivables|Change in receivables
1150|Allowance, JIB|ASSET|C||balance_sheet|Receivables|Change in receivables
1160|Gas Imbalance Receivable|ASSET|D||balance_sheet|Receivables|Change in receivables
1210|Materials Inventory|ASSET|D|material|balance_sheet|Inventories and prepaids|Change in inventories and prepaids
1220|Oil in Tanks|ASSET|D||balance_sheet|Inventories and prepaids|Change in inventories and prepaids
1230|Prepaids|ASSET|D||balance_sheet|Inventories and prepaids|Change in inventories and prepaids
1240|Advances to Operators|ASSET|D||balance_sheet|Inventories and prepaids|Change in inventories and prepaids
1310|Unproved Leasehold|ASSET|D||balance_sheet|Oil and gas properties|Capital expenditure
1320|Proved Leasehold|ASSET|D||balance_sheet|Oil and gas properties|Capital expenditure
1330|Wells, Intangible|ASSET|D||balance_sheet|Oil and gas properties|Capital expenditure
1340|Wells, Tangible|ASSET|D||balance_sheet|Oil and gas properties|Capital expenditure
1350|Facilities|ASSET|D||balance_sheet|Oil and gas properties|Capital expenditure
1360|Asset Retirement Cost|ASSET|D||balance_sheet|Oil and gas properties|Asset retirement cost added
1380|Accumulated DD&A|ASSET|C||balance_sheet|Accumulated depletion|Depletion and depreciation
1390|Accumulated Impairment|ASSET|C||balance_sheet|Accumulated depletion|Impairment
1410|Other Equipment|ASSET|D||balance_sheet|Other property|Capital expenditure
1420|Accumulated Depreciation|ASSET|C||balance_sheet|Other property|Depletion and depreciation
1510|Derivative Asset|ASSET|D||balance_sheet|Derivatives|Change in derivatives
2010|Accounts Payable|LIABILITY|C|vendor|balance_sheet|Accounts payable|Change in payables
2020|Accrued LOE|LIABILITY|C||balance_sheet|Accrued liabilities|Change in payables
2030|Accrued Capital|LIABILITY|C||balance_sheet|Accrued liabilities|Change in payables
2110|Revenue Payable to Owners|LIABILITY|C|owner|balance_sheet|Revenue payable to owners|Change in payables
2120|Owner Suspense|LIABILITY|C|owner|balance_sheet|Revenue payable to owners|Change in payables
2130|Unclaimed Property|LIABILITY|C||balance_sheet|Revenue payable to owners|Change in payables
2210|Severance Tax Payable|LIABILITY|C|authority|balance_sheet|Taxes payable|Change in taxes payable
2220|Ad Valorem Payable|LIABILITY|C||balance_sheet|Taxes payable|Change in taxes payable
2310|Partner Prepayments|LIABILITY|C||balance_sheet|Accrued liabilities|Change in payables
2320|Gas Imbalance Payable|LIABILITY|C||balance_sheet|Accrued liabilities|Change in payables
2410|ARO, Current|LIABILITY|C||balance_sheet|Asset retirement obligations|Asset retirement obligations
2420|ARO, Long-term|LIABILITY|C|well|balance_sheet|Asset retirement obligations|Asset retirement obligations
2510|Debt|LIABILITY|C||balance_sheet|Debt|Borrowing
2520|Interest Payable|LIABILITY|C||balance_sheet|Accrued liabilities|Change in payables
2610|Derivative Liability|LIABILITY|C||balance_sheet|Derivatives|Change in derivatives
2710|Income Tax Payable|LIABILITY|C||balance_sheet|Taxes payable|Change in taxes payable
3010|Capital|EQUITY|C||balance_sheet|Capital|Capital paid in
3100|Retained Earnings|EQUITY|C||balance_sheet|Retained earnings|Net income
3900|Income Summary|EQUITY|C||balance_sheet|Retained earnings|Net income
4100|Crude Oil Sales Revenue|REVENUE|C||income_statement|Oil revenue|Net income
4200|Natural Gas Sales Revenue|REVENUE|C||income_statement|Gas revenue|Net income
4300|NGL Sales Revenue|REVENUE|C||income_statement|NGL revenue|Net income
4400|Condensate Sales Revenue|REVENUE|C||income_statement|Oil revenue|Net income
4500|Gathering & Processing Revenue|REVENUE|C||income_statement|Other revenue|Net income
4700|Derivative Gain or Loss|REVENUE|C||income_statement|Derivative gain or loss|Net income
5100|Lease Operating Expense|EXPENSE|D||income_statement|Lease operating expense|Net income
5200|Workover Expense|EXPENSE|D||income_statement|Workover expense|Net income
5300|Well Service Expense|EXPENSE|D||income_statement|Lease operating expense|Net income
5400|Production Equipment Maintenance|EXPENSE|D||income_statement|Lease operating expense|Net income
5500|Field Operations Expense|EXPENSE|D||income_statement|Lease operating expense|Net income
5600|Gathering & Transportation|EXPENSE|D||income_statement|Gathering, transportation and processing|Net income
5700|Processing & Treating|EXPENSE|D||income_statement|Gathering, transportation and processing|Net income
5810|Severance Tax|EXPENSE|D||income_statement|Production and ad valorem taxes|Net income
5820|Ad Valorem Tax|EXPENSE|D||income_statement|Production and ad valorem taxes|Net income
5830|Fees|EXPENSE|D||income_statement|Production and ad valorem taxes|Net income
5900|Water Disposal|EXPENSE|D||income_statement|Lease operating expense|Net income
6100|Drilling Costs|ASSET|D|afe|balance_sheet|Work in progress|Capital expenditure
6200|Completion Costs|ASSET|D|afe|balance_sheet|Work in progress|Capital expenditure
6300|Facilities & Equipment|ASSET|D|afe|balance_sheet|Work in progress|Capital expenditure
6400|Land & Lease Acquisition|ASSET|D||balance_sheet|Work in progress|Capital expenditure
6500|Geological & Geophysical|EXPENSE|D||income_statement|Exploration expense|Net income
6900|Transferred to Service|ASSET|C||balance_sheet|Work in progress|Capital expenditure
7100|General & Administrative|EXPENSE|D||income_statement|General and administrative|Net income
7200|Overhead Allocation|EXPENSE|C||income_statement|General and administrative|Net income
7300|Insurance Expense|EXPENSE|D||income_statement|General and administrative|Net income
7400|Property Tax|EXPENSE|D||income_statement|General and administrative|Net income
8100|DD&A|EXPENSE|D||income_statement|Depletion, depreciation and amortization|Net income
8200|Accretion|EXPENSE|D||income_statement|Accretion|Net income
8300|Impairment|EXPENSE|D||income_statement|Impairment|Net income
8400|Dry Hole|EXPENSE|D||income_statement|Exploration expense|Net income
8500|Interest|EXPENSE|D||income_statement|Interest expense|Net income
8600|ARO Settlement Gain or Loss|EXPENSE|D||income_statement|Accretion|Net income
8700|Income Tax|EXPENSE|D||income_statement|Income tax|Net income
8800|Bad Debt|EXPENSE|D||income_statement|General and administrative|Net income
9100|Well Days|STATISTICAL|D||statistical|Well days|
9200|Oil Produced|STATISTICAL|D||statistical|Production|
9300|Gas Produced|STATISTICAL|D||statistical|Production|
9500|AFE Budget|STATISTICAL|D||statistical|AFE budget|
{%- endmacro %}
