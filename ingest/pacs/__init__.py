"""Films are fetched: a PACS is asked by DIMSE or DICOMweb, and what comes goes into the inbox."""
