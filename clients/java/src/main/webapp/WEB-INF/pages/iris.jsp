<%@ page session="false" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Species of an iris" current="iris">
<p>Measure a flower: each outer leaf is a sepal, each inner one a petal.</p>
<t:problems />
<form method="post" action="iris" class="numbers">
<t:number name="sepalLength" label="Sepal length" example="5.1" />
<t:number name="sepalWidth" label="Sepal width" example="3.5" />
<t:number name="petalLength" label="Petal length" example="1.4" />
<t:number name="petalWidth" label="Petal width" example="0.2" />
<button type="submit">Classify</button>
</form>
<t:bars caption="How likely each species is" label="Species" />
</t:page>
