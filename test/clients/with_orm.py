"""An application's own tables beside maskgen in the search_path: SQLAlchemy makes them, Alembic and Django see nothing of ours."""
import io
import os
import tempfile
import warnings

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tap import done, is_

warnings.simplefilter('ignore')
names = ['model', 'models', 'model_chunk', 'model_grant', 'result_cache', 'stat_models']
engine = sa.create_engine('postgresql+psycopg:///')
metadata = sa.MetaData()
for name in names:
    sa.Table(name, metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('mine', sa.Text))
sa.Table('child', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('model', sa.ForeignKey('model.id')))

with engine.connect() as connection:
    is_(sa.inspect(connection).get_table_names(), [], 'no table is there before')
    is_(connection.execute(sa.text('SHOW search_path')).scalar(), 'public, maskgen', 'with maskgen in the search_path')
metadata.create_all(engine)
with engine.connect() as connection:
    is_(sorted(sa.inspect(connection).get_table_names()), sorted(names + ['child']), 'create_all makes tables of all these names')
    is_(connection.execute(sa.text("SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = 'child'::regclass "
                                   "AND confrelid = 'public.model'::regclass")).scalar(), 'model', 'a foreign key is to the own model')
    for schemas in (False, True):
        context = MigrationContext.configure(connection, opts={'include_schemas': schemas})
        found = [change for change in compare_metadata(context, metadata) if 'maskgen' not in str(getattr(change[1], 'schema', ''))]
        is_(found, [], f'Alembic finds nothing to change, include_schemas {schemas}')
    context = MigrationContext.configure(connection)
    is_(compare_metadata(context, metadata), [], 'nor does it mention anything of maskgen')

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(INSTALLED_APPS=[], DATABASES={'default': {
    'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE'], 'HOST': os.environ['PGHOST'], 'USER': os.environ['PGUSER']}})
django.setup()
out = io.StringIO()
call_command('inspectdb', stdout=out)
tables = sorted(line.split("'")[1] for line in out.getvalue().split('\n') if line.strip().startswith('db_table = '))
is_(tables, sorted(names + ['child']), 'inspectdb lists the own tables and no other')
out = io.StringIO()
call_command('inspectdb', '--include-views', stdout=out)
listed = sorted(line.split("'")[1] for line in out.getvalue().split('\n') if line.strip().startswith('db_table = '))
is_([name for name in listed if name not in names + ['child'] and not name.startswith('maskgen_')], [], 'with views, none but those that say maskgen')
done()
