// TypeORM, whose schema builder creates "vector" for a column of that type.
require('reflect-metadata')
const { DataSource, EntitySchema } = require('typeorm')

let count = 0
let failed = 0
const is = (got, want, what) => {
	const good = JSON.stringify(got) === JSON.stringify(want)
	failed += good ? 0 : 1
	console.log(`${good ? '' : 'not '}ok ${++count} - ${what}`)
	if (!good) console.log(`# got ${JSON.stringify(got)}\n# want ${JSON.stringify(want)}`)
}

const Item = new EntitySchema({ name: 'item', columns: {
	id: { type: Number, primary: true, generated: true },
	body: { type: String },
	embedding: { type: 'vector', length: 3, nullable: true },
	half: { type: 'halfvec', length: 3, nullable: true } } })

const main = async () => {
	const db = new DataSource({ type: 'postgres', host: process.env.PGHOST, username: 'postgres', database: process.env.PGDATABASE, entities: [Item], synchronize: true })
	await db.initialize()
	const items = db.getRepository(Item)
	await items.save([{ body: 'one', embedding: [1, 2, 3], half: [1, 2, 3] }, { body: 'two', embedding: [3, 2, 1] }])
	const near = await items.createQueryBuilder('item').orderBy('item.embedding <=> :e').setParameter('e', '[1,2,4]').getMany()
	is(near.map(i => i.body), ['one', 'two'], 'the nearest first')
	is([near[0].embedding, near[0].half, near[1].half], [[1, 2, 3], [1, 2, 3], null], 'values of vector and halfvec')
	const builder = db.driver.createSchemaBuilder()
	is((await builder.log()).upQueries.length, 0, 'the schema is as it was built: nothing to migrate')
	await db.destroy()
	console.log(`1..${count}`)
	process.exit(failed > 0 ? 1 : 0)
}
main().catch(error => { console.log(`Bail out! ${error}`); process.exit(1) })
