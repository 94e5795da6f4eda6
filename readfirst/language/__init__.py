"""The languages of the page: texts, dates and numbers as a person reads them."""
