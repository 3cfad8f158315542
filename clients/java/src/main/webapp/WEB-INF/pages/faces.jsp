<%@ page session="false" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<%@ taglib prefix="t" tagdir="/WEB-INF/tags" %>
<t:page title="Faces in a photograph" current="faces">
<t:problems />
<t:photograph action="faces" label="Photograph with faces" button="Find faces" />
<c:if test="${not empty modelVersion}">
<section class="answer" aria-label="Answer">
<p class="best"><c:choose>
<c:when test="${empty faces}">No face was found.</c:when>
<c:when test="${faces.size() == 1}">1 face was found.</c:when>
<c:otherwise>${faces.size()} faces were found.</c:otherwise>
</c:choose></p>
<t:found things="${faces}" label="The picture that was sent, with a box, five points and an emotion on each face">
<c:forEach var="face" items="${faces}"><c:forEach var="point" items="${face.points()}"><circle cx="${point.x()}" cy="${point.y()}" r="${face.radius()}" />
</c:forEach><text x="${face.box().x()}" y="${face.baseline()}" font-size="${face.letters()}"><c:out value="${face.emotion().label()}" /></text>
</c:forEach></t:found>
<t:table caption="How likely the emotion of each face is, the surest face first" label="Face" />
<p class="version">Answered by version ${modelVersion} of the model.</p>
</section>
</c:if>
</t:page>
