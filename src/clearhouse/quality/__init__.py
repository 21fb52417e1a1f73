"""Gates that hold a day back from readers, and the alert that says so.

`gates` judges, `verdicts` is what it answers, `alerts` notifies people. Great Expectations is
imported late and in one place, `project`: it takes seconds.
"""
