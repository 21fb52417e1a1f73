"""The close pack of a fiscal period as PDF, workbook and web page, and exports of the journal."""
