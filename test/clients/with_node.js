// node-postgres with pgvector's package, which looks the types up by name.
const pg = require('pg');
const pgvector = require('pgvector/pg');
const { SparseVector } = require('pgvector');

let count = 0, failed = 0;

function is(got, want, what) {
	const good = JSON.stringify(got) === JSON.stringify(want);

	count++;
	failed += good ? 0 : 1;
	console.log(`${good ? '' : 'not '}ok ${count} - ${what}`);
	if (!good)
		console.log(`# got ${JSON.stringify(got)}\n# want ${JSON.stringify(want)}`);
}

async function main() {
	const client = new pg.Client();

	await client.connect();
	await pgvector.registerTypes(client);
	await client.query('CREATE TABLE item (id serial, v vector(3), h halfvec(3), s sparsevec(3), b bit(3))');
	const sparse = new SparseVector([1, 0, 3]);
	for (const v of [[1, 2, 3], [1, 1, 1], [4, 5, 6.5]])
		await client.query('INSERT INTO item (v, h, s, b) VALUES ($1, $2, $3, $4)', [pgvector.toSql(v), pgvector.toSql(v), sparse, '101']);
	const { rows } = await client.query('SELECT * FROM item ORDER BY v <-> $1 LIMIT 2', [pgvector.toSql([4, 5, 6])]);
	is(rows.map((row) => row.id), [3, 1], 'ORDER BY a distance');
	is(rows[0].v, [4, 5, 6.5], 'vector');
	is(rows[0].h, [4, 5, 6.5], 'halfvec');
	is(rows[0].s.toArray(), [1, 0, 3], 'sparsevec');
	is(rows[0].b, '101', 'bit');
	for (const operator of ['<->', '<#>', '<=>', '<+>'])
		is((await client.query(`SELECT id FROM item ORDER BY h ${operator} $1`, [pgvector.toSql([1, 1, 1])])).rowCount, 3, `halfvec ${operator}`);
	is((await client.query('SELECT id FROM item ORDER BY s <-> $1, b <~> $2, b <%> $2', [sparse, '100'])).rowCount, 3, 'sparsevec and bit');
	is((await client.query('SELECT avg(v) AS mean FROM item')).rows[0].mean.map((x) => Math.round(x * 1000)), [2000, 2667, 3500], 'avg');
	await client.end();
	console.log(`1..${count}`);
	process.exit(failed > 0 ? 1 : 0);
}

main();
