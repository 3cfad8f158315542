<%@ tag description="An answer as a bar chart, if there is one." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="caption" required="true" %>
<%@ attribute name="label" required="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<c:if test="${not empty bars}">
<section class="answer" aria-label="Answer">
<p class="best"><c:out value="${bars[0].label()}" /></p>
<t:table caption="${caption}" label="${label}" />
<p class="version">Answered by version ${modelVersion} of the model.</p>
</section>
</c:if>
