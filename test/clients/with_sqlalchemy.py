"""SQLAlchemy with pgvector-python: columns of a model, operators as methods, casts, aggregates."""
from pgvector import SparseVector
from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, VECTOR, avg, sum
from sqlalchemy import Integer, cast, create_engine, func, insert, inspect, select
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from tap import done, is_


def numbers(value):
    """Some versions give a list, some an object."""
    return [round(float(x), 4) for x in (value.to_list() if hasattr(value, 'to_list') else value)]


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = 'item'
    id = mapped_column(Integer, primary_key=True)
    v = mapped_column(VECTOR(3))
    h = mapped_column(HALFVEC(3))
    s = mapped_column(SPARSEVEC(3))
    b = mapped_column(BIT(3))


engine = create_engine('postgresql+psycopg://')
Base.metadata.create_all(engine)
with Session(engine) as session:
    for n, (v, b) in enumerate((([1, 1, 1], '000'), ([2, 2, 2], '101'), ([1, 1, 2], '111')), 1):
        session.add(Item(id=n, v=v, h=v, s=SparseVector(v), b=b))
    session.add(Item(id=4))
    session.commit()
    for column in ('v', 'h', 's'):
        for method in ('l2_distance', 'cosine_distance', 'max_inner_product', 'l1_distance'):
            value = SparseVector([1, 1, 1]) if column == 's' else [1, 1, 1]
            ids = session.scalars(select(Item.id).where(Item.id < 4).order_by(getattr(getattr(Item, column), method)(value), Item.id)).all()
            is_(ids, {'l2_distance': [1, 3, 2], 'l1_distance': [1, 3, 2], 'cosine_distance': [1, 2, 3], 'max_inner_product': [2, 3, 1]}[method], f'{column}.{method}')
    for method, want in (('hamming_distance', [2, 3, 1]), ('jaccard_distance', [2, 3, 1])):
        is_(session.scalars(select(Item.id).where(Item.id < 4).order_by(getattr(Item.b, method)('101'), Item.id)).all(), want, f'b.{method}')
    is_(session.scalars(select(Item.id).filter(Item.v.l2_distance([1, 1, 1]) < 1.5).order_by(Item.id)).all(), [1, 3], 'a filter by distance')
    one = session.get(Item, 3)
    is_(numbers(one.v), [1, 1, 2], 'a value of vector')
    is_(numbers(one.h), [1, 1, 2], 'a value of halfvec')
    is_(one.s, SparseVector([1, 1, 2]), 'a value of sparsevec')
    is_(session.get(Item, 4).v, None, 'NULL')
    is_(numbers(session.scalars(select(avg(Item.v))).first()), [1.3333, 1.3333, 1.6667], 'avg')
    is_(numbers(session.scalars(select(sum(Item.h))).first()), [4, 4, 5], 'sum')
    is_(session.scalars(select(Item.id).where(Item.id < 4).order_by(cast(Item.v, HALFVEC(3)).l2_distance([1, 1, 1]))).all(), [1, 3, 2], 'a cast to halfvec')
    is_(session.scalars(select(Item.id).where(Item.id < 4).order_by(cast(func.binary_quantize(Item.v), BIT(3)).hamming_distance('111'), Item.id)).all(), [1, 2, 3],
        'binary_quantize')
    session.execute(insert(Item), [{'id': 10 + i, 'v': [i, 0, 0]} for i in range(50)])
    is_(session.scalar(select(func.count()).where(Item.v.is_not(None))), 53, 'many rows at once')
columns = {c['name']: c['type'] for c in inspect(engine).get_columns('item')}
is_([str(columns[c].compile(dialect=engine.dialect)) for c in ('v', 'h', 's', 'b')], ['VECTOR(3)', 'HALFVEC(3)', 'SPARSEVEC(3)', 'BIT(3)'], 'reflection')
done()
