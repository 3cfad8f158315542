<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Digit in a picture" current="digits" script="draw.js">
<t:problems />
<div class="ways">
<form method="post" action="digits" enctype="multipart/form-data" id="draw" hidden>
<h2>Draw</h2>
<canvas id="canvas" width="240" height="240" role="img" aria-label="Draw one digit here with mouse, pen or finger"></canvas>
<input type="hidden" name="drawing" id="drawing" value="<c:out value='${param.drawing}' />">
<p class="buttons">
<button type="submit">Classify drawing</button>
<button type="button" id="clear" class="secondary">Clear</button>
</p>
</form>
<form method="post" action="digits" enctype="multipart/form-data" id="upload">
<h2>Upload</h2>
<div class="field">
<label for="image">Picture of one digit, PNG or JPEG, at most 10 MB</label>
<input id="image" name="image" type="file" accept="image/png,image/jpeg" required<c:if test="${not empty problems}"> aria-invalid="true" aria-describedby="problems"</c:if>>
</div>
<button type="submit">Classify picture</button>
<c:if test="${not empty picture and empty param.drawing}"><figure>
<img src="${picture}" alt="The picture that was sent">
<figcaption>The picture that was sent</figcaption>
</figure></c:if>
</form>
</div>
<noscript><p>Drawing needs JavaScript; uploading does not.</p></noscript>
<t:bars caption="How likely each digit is" label="Digit" />
</t:page>
