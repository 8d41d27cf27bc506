"""SQL that the ORM does not build, by subject: the texts, and the index that each of them needs.

Production code has such texts nowhere else (`tests/project/test_sql.py`), except in migrations and
in `config/`. They are constant, so that PostgreSQL plans each once: only parameters differ.
"""
